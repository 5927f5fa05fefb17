"""The calls of the host, by interface: `from wasmvark.calls import links, routes`.

They are those of the generated bindings, but raise subclasses of `DriverError`. Only the
interfaces of the driver's world can be imported.
"""

from importlib import import_module
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from wasmvark.errors import raises

if TYPE_CHECKING:
    from wit_world.imports import (
        addresses as addresses,
    )
    from wit_world.imports import (
        announce as announce,
    )
    from wit_world.imports import (
        bridge_ports as bridge_ports,
    )
    from wit_world.imports import (
        dhcp as dhcp,
    )
    from wit_world.imports import (
        dns as dns,
    )
    from wit_world.imports import (
        firewall as firewall,
    )
    from wit_world.imports import (
        links as links,
    )
    from wit_world.imports import (
        log as log,
    )
    from wit_world.imports import (
        neighbours as neighbours,
    )
    from wit_world.imports import (
        offloads as offloads,
    )
    from wit_world.imports import (
        routes as routes,
    )
    from wit_world.imports import (
        rules as rules,
    )
    from wit_world.imports import (
        state as state,
    )
    from wit_world.imports import (
        sysctl as sysctl,
    )
    from wit_world.imports import (
        traffic as traffic,
    )
    from wit_world.imports import (
        wireguard as wireguard,
    )
else:

    def __getattr__(name: str) -> ModuleType:
        if name.startswith("_"):
            raise AttributeError(name)
        return _raising(import_module(f"wit_world.imports.{name}"))


def _raising(interface: ModuleType) -> ModuleType:
    module = ModuleType(interface.__name__, interface.__doc__)
    for name, value in vars(interface).items():
        is_call = isinstance(value, FunctionType) and not name.startswith("_")
        setattr(module, name, raises(value) if is_call else value)
    return module
