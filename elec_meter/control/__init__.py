"""The control port: what the user who runs a meter may order of it while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from .desk import OrderDesk
    from .orders import Orders, Status, versions
    from .requests import (
        AdjustClock,
        ApplyConfig,
        ArmContactor,
        BoostRelay,
        ChangePassword,
        Checkpoint,
        ClearAlarms,
        EndBilling,
        GetStatus,
        GiveDlmsCredentials,
        OpenContactor,
        PushNow,
        ReceivePrices,
        Request,
        ResetDemand,
        RollBack,
        SetClock,
        ShowConfig,
        ShowHistory,
        ShowPasswords,
        SwitchRelay,
        SynchroniseClock,
        TakePairingStep,
        UnpairUnit,
        decode_request,
        encode_request,
    )
    from .session import ControlSession, ControlTiming

__all__ = [
    "AdjustClock",
    "ApplyConfig",
    "ArmContactor",
    "BoostRelay",
    "ChangePassword",
    "Checkpoint",
    "ClearAlarms",
    "ControlSession",
    "ControlTiming",
    "EndBilling",
    "GetStatus",
    "GiveDlmsCredentials",
    "OpenContactor",
    "OrderDesk",
    "Orders",
    "PushNow",
    "ReceivePrices",
    "Request",
    "ResetDemand",
    "RollBack",
    "SetClock",
    "ShowConfig",
    "ShowHistory",
    "ShowPasswords",
    "Status",
    "SwitchRelay",
    "SynchroniseClock",
    "TakePairingStep",
    "UnpairUnit",
    "decode_request",
    "encode_request",
    "versions",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "desk": "OrderDesk",
        "orders": "Orders Status versions",
        "requests": (
            "AdjustClock ApplyConfig ArmContactor BoostRelay ChangePassword Checkpoint ClearAlarms"
            " EndBilling GetStatus GiveDlmsCredentials OpenContactor PushNow ReceivePrices Request"
            " ResetDemand RollBack SetClock ShowConfig ShowHistory ShowPasswords SwitchRelay"
            " SynchroniseClock TakePairingStep UnpairUnit decode_request encode_request"
        ),
        "session": "ControlSession ControlTiming",
    },
)
