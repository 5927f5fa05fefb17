"""The base of drivers."""

from wit_world import exports
from wit_world.imports.types import (
    CreateRequest,
    NetworkChange,
    Request,
    SetupAnswer,
)

from wasmvark.errors import returns

_FUNCTIONS = ("create", "setup", "teardown")


class Driver(exports.Handler):
    """A driver. Its module has one subclass, which is called `Handler`.

    A `DriverError` that one of its functions raises is the error for the user. Another
    exception is a crash, and the error for the user has its traceback.
    """

    def __init_subclass__(cls) -> None:
        """Make the errors of the driver's functions reach the host."""
        super().__init_subclass__()
        for name in _FUNCTIONS:
            if name in vars(cls):
                setattr(cls, name, returns(vars(cls)[name]))

    def create(self, request: CreateRequest) -> list[NetworkChange]:
        """Check a new network, and return changes of it."""
        return []

    def setup(self, request: Request) -> SetupAnswer:
        """Connect a container."""
        raise NotImplementedError

    def teardown(self, request: Request) -> None:
        """Disconnect a container. The host undoes what `setup` did in any case."""


def no_name_servers() -> SetupAnswer:
    """Return the answer of a driver without DNS servers of its own."""
    return SetupAnswer(dns_servers=[], search_domains=[])
