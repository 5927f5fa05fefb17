"""Errors of calls and of drivers."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

from componentize_py_types import Err
from wit_world.imports import types


class DriverError(Exception):
    """An error of a call, or one that a driver gives the user.

    It is always one of the subclasses, which are the cases of `error` in the interface
    `types`.
    """

    case: ClassVar[type[Any]]

    @property
    def message(self) -> str:
        """The text for the user."""
        return str(self)


class DeniedError(DriverError):
    """The grant doesn't list the call, or the object is out of its reach."""

    case = types.Error_Denied


class NotFoundError(DriverError):
    """The object doesn't exist."""

    case = types.Error_NotFound


class ExistsError(DriverError):
    """The object exists already."""

    case = types.Error_Exists


class InvalidError(DriverError):
    """An argument or an option is malformed, or the kernel refuses it."""

    case = types.Error_Invalid


class BusyError(DriverError):
    """The object is in use."""

    case = types.Error_Busy


class UnsupportedError(DriverError):
    """The kernel or the driver lacks the feature."""

    case = types.Error_Unsupported


class ReadOnlyError(DriverError):
    """The setting has another value and can't be written here."""

    case = types.Error_ReadOnly


class OtherError(DriverError):
    """Anything else."""

    case = types.Error_Other


_CASES = {error.case: error for error in DriverError.__subclasses__()}

_P = ParamSpec("_P")
_T = TypeVar("_T")


def raises(call: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a call of the host that raises subclasses of `DriverError`."""

    @wraps(call)
    def raising(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return call(*args, **kwargs)
        except Err as error:
            raise _raised(error.value) from None

    return raising


def returns(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a function of a driver whose errors reach the host as such."""

    @wraps(function)
    def returning(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except DriverError as error:
            raise Err(error.case(error.message)) from error

    return returning


def _raised(value: types.Error) -> DriverError:
    return _CASES[type(value)](value.value)
