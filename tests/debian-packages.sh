#!/bin/sh
# Installs the Debian packages that the tests need, as root or through sudo; says which otherwise.
set -eu

packages=""
command -v chromium >/dev/null || packages="$packages chromium fonts-dejavu-core"
PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null || packages="$packages mosquitto"
[ -n "$packages" ] || exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        echo "The tests need Debian packages; as root: apt-get install$packages" >&2
        exit 1
    fi
    as_root="sudo"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # one word each
$as_root apt-get install -y -qq --no-install-recommends $packages
