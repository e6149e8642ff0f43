"""What is refused of a module's settings before it is started, and what is only noted."""

from __future__ import annotations

import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from collector import Keystore
from elec_meter import Meter, Storage
from elec_meter.addons import Settings, check_addons, modules
from elec_meter.addons.errors import SettingError
from elec_meter.addons.tls import TlsFiles
from elec_meter.cli.main import main
from elec_meter.config import (
    AddonConfig,
    AddonSetting,
    HostConfig,
    MainsHost,
    config_to_toml,
    demo_config,
)
from elec_meter.errors import ConfigError
from elec_meter.host.addons import tell_of_addons
from elec_meter.host.base import Host
from tests.certificates import self_signed
from tests.elec_meter.addons import modules_for_tests
from tests.elec_meter.addons.test_modules import running, with_module

ABSENT = "which cannot be read: No such file or directory"
NAMES = ("ca_file", "certificate_file", "key_file")
BROKER = "mqtts://house@broker.example"


def addon(module: str, budget_ma: int = 100, **values: str) -> AddonConfig:
    """A module with these settings."""
    settings = tuple(AddonSetting(name=name, value=value) for name, value in values.items())
    return AddonConfig(name=module, module=module, budget_ma=budget_ma, settings=settings)


def run(*words: object, code: int = 0) -> tuple[str, str]:
    """What `elec-meter` says, and what it complains of."""
    result = CliRunner().invoke(main, [*map(str, words)], catch_exceptions=False)
    assert code == result.exit_code, result.output
    return result.stdout, result.stderr


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of other people's modules is installed."""
    monkeypatch.syspath_prepend(str(modules_for_tests.install(tmp_path)))
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (addon("p1"), "addons[1].settings: p1 needs the setting listen or serial"),
        (
            addon("p1", listen="here:70000"),
            "addons[1].settings: the setting listen: 'here:70000' asks for port 70000",
        ),
        (addon("p1", listn="x"), "there is no setting 'listn'; there are interval_s, listen,"),
        (addon("p1", listen="a:1", interval_s="soon"), "interval_s is a whole number from 1 to 60"),
        (
            addon("p1", 4, listen="a:1"),
            "addons[1].budget_ma: a module draws 5 mA while it waits, so with 4 mA it would",
        ),
        (addon("mqtt", url="http://broker"), "the setting url is written mqtt://HOST:PORT"),
        (
            addon("mqtt", url="mqtt://user:secret@broker"),
            "put it into a file that the setting password_file names",
        ),
        (addon("mqtt", url=BROKER, key_file="/k"), "key_file needs certificate_file"),
        (addon("wan_tcp", listen="0.0.0.0:1"), "the setting listen needs certificate_file"),
    ],
)
def test_a_bad_setting_is_refused_with_its_path(module: AddonConfig, reason: str) -> None:
    """Here or for elsewhere, in the list of the document or of the host."""
    modules = (addon("p1", listen="127.0.0.1:1"), module)
    for is_elsewhere in (False, True):
        with pytest.raises(ConfigError) as caught:
            check_addons(modules, is_elsewhere=is_elsewhere)
        assert reason in str(caught.value)
    with pytest.raises(ConfigError, match=r"^host\.addons\[1\]\."):
        check_addons(modules, where="host.addons")


def test_what_is_not_here_is_refused_here_and_noted_for_elsewhere() -> None:
    """Files and modules of the meter's computer are not those of everybody's."""
    absent = addon("mqtt", url=BROKER, ca_file="/not/there", password_file="/nor/there")
    sentences = [
        f"addons[0].settings: the setting password_file names /nor/there, {ABSENT}",
        f"addons[0].settings: the setting ca_file names /not/there, {ABSENT}",
        "addons[1].module: there is no add-on module 'mqqt': mqtt, p1, wan_tcp are shipped",
    ]
    assert sentences == check_addons((absent, addon("mqqt")), is_elsewhere=True)
    with pytest.raises(ConfigError) as caught:
        check_addons((absent,))
    assert sentences[0] == str(caught.value)
    with pytest.raises(ConfigError) as caught:
        check_addons((addon("mqqt"),))
    assert sentences[2].replace("[1]", "[0]") == str(caught.value)


def test_a_module_whose_library_is_missing_is_one_that_is_not_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sentence says how it is installed."""
    monkeypatch.setattr(modules, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"^addons\[0\]\.module: mqtt needs aiomqtt: \S*python3"):
        check_addons((addon("mqtt", url=BROKER),))
    assert 1 == len(check_addons((addon("mqtt", url=BROKER),), is_elsewhere=True))


def test_certificates_and_keys_are_looked_into(tmp_path: Path) -> None:
    """What is there is refused unless it is what the setting says, wherever it is to run."""
    own, other = self_signed(tmp_path, "own"), self_signed(tmp_path, "other")
    hidden = self_signed(tmp_path, "hidden", b"secret")
    text = tmp_path / "text"
    text.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    for files, sentence in (
        ((own.key, "", ""), f"ca_file names {own.key}, which holds no certificate in PEM"),
        ((text, "", ""), "the certificates cannot be used: "),
        ((tmp_path, "", ""), f"the setting ca_file names {tmp_path}, which is no file"),
        (("", own.key, ""), "which holds no certificate in PEM"),
        (("", own.certificate, ""), "which holds no key, and there is no setting key_file"),
        (("", own.certificate, own.certificate), "which holds no key in PEM"),
        (("", own.certificate, other.key), "the key is that of another certificate"),
        (("", hidden.certificate, hidden.key), "nobody is there to give its password"),
        (("", hidden.both, ""), "nobody is there to give its password"),
    ):
        values = dict(zip(NAMES, map(str, files), strict=True))
        for is_elsewhere in (False, True):
            with pytest.raises(SettingError) as caught:
                TlsFiles.of(Settings(values, is_elsewhere=is_elsewhere))
            assert sentence in str(caught.value)
    for certificate, key in ((own.certificate, own.key), (own.both, "")):
        told = {
            "ca_file": str(other.certificate),
            "certificate_file": str(certificate),
            "key_file": str(key),
        }
        TlsFiles.of(Settings(told)).server()
    away = Settings({"certificate_file": str(own.certificate), "key_file": "/k"}, is_elsewhere=True)
    TlsFiles.of(away)
    assert 1 == len(away.notes)


def test_another_packages_check_is_asked_where_it_may_be(others: None) -> None:
    """Its refusal has a path; whatever else it raises is a sentence; without one all is well."""
    assert [] == check_addons((addon("good", word="any"),), with_others=True)
    assert [] == check_addons((addon("prying", word="fine"),), with_others=True)
    with pytest.raises(ConfigError, match=r"^addons\[0\]\.settings: the setting word is a secret$"):
        check_addons((addon("prying", word="secret"),), with_others=True)
    broken = r"^addons\[0\]\.settings: the check of the module hung fails: ZeroDivisionError: .*$"
    with pytest.raises(ConfigError, match=broken):
        check_addons((addon("hung"),), with_others=True)


def test_a_running_meter_loads_no_code_of_others(
    others: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module is a process of its own for good reasons; what it cannot do it says there."""
    monkeypatch.delitem(sys.modules, modules_for_tests.__name__)
    desktop = running(demo_config())
    config = replace(demo_config(), addons=(addon("prying", word="secret"),))
    desktop.meter.apply_config(config, desktop.now)
    assert config == desktop.meter.config
    assert modules_for_tests.__name__ not in sys.modules


def test_a_running_meter_refuses_bad_settings_that_are_new() -> None:
    """What it has already stands in nobody's way, and may be put right."""
    desktop = running(with_module("mqtt"))
    desktop.meter.apply_config(replace(with_module("mqtt"), checkpoint_s=30), desktop.now)
    assert 30 == desktop.meter.config.checkpoint_s
    bad = replace(demo_config(), addons=(*with_module("mqtt").addons, addon("p1", listen="x")))
    with pytest.raises(ConfigError, match=r"^addons\[1\]\.settings: the setting listen: 'x' is no"):
        desktop.meter.apply_config(bad, desktop.now)


def test_the_command_checks_modules_of_the_document_and_of_the_host(tmp_path: Path) -> None:
    """A wrong one is one sentence; what is on another computer is named, and the exit code is 0."""
    file = tmp_path / "meter.toml"
    config = replace(demo_config(), addons=(addon("mqtt", url=BROKER, ca_file="/not/there"),))
    host = "\n[host.mains]\nsynthetic_w = 1\n[[host.addons]]\nname = 'p'\nmodule = 'p1'\n"
    file.write_text(config_to_toml(config) + host)
    _, said = run("config", "check", file, code=1)
    expected = "host.addons[0].settings: p1 needs the setting listen or serial"
    assert f"Error: {file}: {expected}.\n" == said
    file.write_text(config_to_toml(config))
    note = f"addons[0].settings: the setting ca_file names /not/there, {ABSENT}"
    assert f"Not checked: {file}: {note}.\n" == run("config", "check", file)[1]
    assert [note] == json.loads(run("config", "check", file, "--json")[0])["notes"]


def test_a_meter_at_rest_is_given_no_module_that_could_not_work(
    tmp_path: Path, others: None
) -> None:
    """Its own and other packages' are checked, in a file, a change or an earlier document."""
    home, file = tmp_path / "home", tmp_path / "meter.toml"
    with Storage.open(home) as storage:
        meter = Meter(demo_config(), storage, datetime(2026, 4, 1, tzinfo=UTC))
        bad = replace(demo_config(), addons=(addon("prying", word="secret"),))
        meter.apply_config(bad, meter.now)  # as by FLAG: nobody has asked the other package
        meter.apply_config(demo_config(), meter.now)
    file.write_text(config_to_toml(bad))
    sentence = "addons[0].settings: the setting word is a secret.\n"
    assert f"Error: {file}: {sentence}" == run("config", "apply", file, "--data", home, code=1)[1]
    change = json.loads(run("config", "diff", "--data", home, file, "--json")[0])["change"]
    words = ("config", "apply", "--change", change, "--data", home)
    assert f"Error: {sentence}" == run(*words, code=1)[1]
    assert f"Error: {sentence}" == run("config", "rollback", 2, "--data", home, code=1)[1]
    run("config", "rollback", 1, "--data", home)


def test_the_demo_says_at_once_that_its_broker_has_no_address() -> None:
    """It is misuse, before anything is simulated."""
    _, said = run("demo", "--mqtt", "broker", "--speed", 0, "--for", "1s", code=2)
    assert "Invalid value for --mqtt: the setting url is written mqtt://HOST:PORT" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--mqtt", "mqtt://me@host", "--mqtt-password-file", "/not/there"),
            "Invalid value for --mqtt: the setting password_file names /not/there, which cannot",
        ),
        (("--mqtt", "mqtt://me:secret@host"), "Invalid value for --mqtt: the setting url holds a"),
        (("--mqtt-password-file", "/not/there"), "--mqtt-password-file is for --mqtt."),
    ],
)
def test_the_demo_takes_a_password_by_a_file_alone(words: tuple[str, ...], sentence: str) -> None:
    """What is wrong with it is misuse, before anything is simulated."""
    _, said = run("demo", *words, "--speed", 0, "--for", "1s", code=2)
    assert sentence in said
    assert "me:secret" not in said


def test_a_meter_that_starts_says_what_will_not_work_and_starts(tmp_path: Path) -> None:
    """Of its own document, and of the host's."""
    told: list[str] = []
    host = Host(
        config=HostConfig(mains=MainsHost(synthetic_w=1), addons=(addon("mqtt", url="x"),)),
        folder=tmp_path,
        data_dir=tmp_path,
        keystore=Keystore.open(tmp_path),
        now=lambda: datetime(2026, 4, 1, tzinfo=UTC),
        tell=told.append,
    )
    tell_of_addons(host, with_module("nosuch"))
    assert ["addons[0].module: there", "host.addons[0].settings: the"] == [
        " ".join(each.split()[:2]) for each in told
    ]
