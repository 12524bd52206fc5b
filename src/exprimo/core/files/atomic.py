"""Writing that leaves the whole new thing, or what was there before, and never a half."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exprimo.core.errors import InputError, LockedError, StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {
    errno.EACCES,
    errno.EEXIST,
    errno.EIO,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


def _storage_error(error: OSError, path: Path) -> StorageError:
    full = error.errno in _FULL
    found = error.strerror or str(error)
    if error.filename is not None and str(error.filename) != str(path):
        found += f": {error.filename}"
    return StorageError(
        "the disk is full" if full else "cannot write here",
        file=path,
        found=found,
        remedy="Free some space and run the same command again; nothing half-written was left"
        if full
        else "Choose a folder that you may write to",
    )


@contextmanager
def storage_errors(path: str | Path) -> Iterator[None]:
    """Turn the operating system's refusal to write ``path`` into a `StorageError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL | _REFUSED:
            raise _storage_error(error, Path(path)) from error
        # h5py reports a failed write without an errno.
        if "write failed" in str(error) or "No space left" in str(error):
            full = OSError(errno.ENOSPC, "no space left while writing")
            raise _storage_error(full, Path(path)) from error
        raise


def _output(path: str | Path) -> Path:
    target = Path(path)
    if not target.name or "\0" in str(target):
        raise InputError(
            "not a name for an output",
            found=repr(str(path)),
            expected="the name of a file or folder",
        )
    return target


@contextmanager
def write_lock(path: str | Path) -> Iterator[None]:
    """Hold the right to write ``path``; a second writer is refused at once.

    The lock is the kernel's (flock) on a hidden sibling, so a killed process leaves none behind.
    """
    target = _output(path)
    lock_path = _lock_path(target)
    handle = None
    try:
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            while handle is None:
                handle = _take_lock(target, lock_path)
    except FileNotFoundError as error:  # so /proc refuses new files
        raise _storage_error(error, target) from error
    try:
        with storage_errors(target):
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            lock_path.unlink()
        os.close(handle)


def _lock_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def _take_lock(target: Path, lock_path: Path) -> int | None:
    """Lock ``lock_path`` and give its handle; None if it was removed before it was locked."""
    handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o644)
    taken = False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held the lock removes the file when done. Locking what was opened just before
        # keeps nobody out: the next writer makes and locks a new file of that name.
        with contextlib.suppress(FileNotFoundError):
            taken = os.path.samestat(os.fstat(handle), os.stat(lock_path))
    except BlockingIOError:
        raise being_written(target) from None
    finally:
        if not taken:
            os.close(handle)
    return handle if taken else None


def being_written(path: Path) -> LockedError:
    """Make the error for a thing that another process is writing."""
    with contextlib.suppress(OSError):
        pid = _lock_path(path).read_text().strip()
        if pid:
            return LockedError(
                "another process is writing this",
                file=path,
                found=f"process {pid}",
                remedy="Wait until it ends, or choose another output",
            )
    return LockedError("another process is writing this", file=path, remedy="Wait until it ends")


def is_being_written(path: str | Path) -> bool:
    """Tell whether some process holds the write lock of ``path``."""
    try:
        handle = os.open(_lock_path(Path(path)), os.O_RDONLY)
    except (OSError, ValueError):  # ValueError: no name, or one with a zero byte
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def partial_path(path: str | Path) -> Path:
    """Give the hidden sibling in which ``path`` grows until it is whole.

    Examples
    --------
    >>> partial_path("out/D.h5").name
    '.D.partial.h5'
    """
    target = _output(path)
    return target.with_name(f".{target.stem}.partial{target.suffix}")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes ``path`` when the block ends well.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with atomic_file(target) as partial:
    ...     _ = partial.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    target = _output(path)
    with storage_errors(target):
        if target.is_dir():
            raise InputError("a folder stands where a file should be written", file=target)
        if target.exists() and not target.is_file():
            # Renaming over a device such as /dev/null would replace it.
            raise InputError("not a plain file, so it is not written over", file=target)
    with write_lock(target):
        partial = partial_path(target)
        partial.unlink(missing_ok=True)  # what a killed writer left
        try:
            with storage_errors(target):
                yield partial
                _sync(partial)
                os.replace(partial, target)
                _sync(target.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


@contextmanager
def atomic_directory(path: str | Path, *, resume: bool = False) -> Iterator[Path]:
    """Yield a folder to fill; it becomes ``path`` when the block ends well.

    With ``resume`` a folder left by a killed writer is continued, and an error inside the block
    leaves it for the next try; without, an old one is removed first and an error removes it.
    """
    target = _output(path)
    with write_lock(target):
        refuse_existing(target)  # inside the lock, or another writer may finish in between
        partial = partial_path(target)
        if partial.exists() and not resume:
            shutil.rmtree(partial)
        try:
            with storage_errors(target):
                partial.mkdir(exist_ok=True)
                yield partial
                for inside in partial.rglob("*"):
                    if inside.is_file():
                        _sync(inside)
                os.replace(partial, target)
                _sync(target.parent)
        except BaseException as error:
            if not resume:
                shutil.rmtree(partial, ignore_errors=True)
            if isinstance(error, StorageError):
                raise _as_asked(error, partial, target) from error
            raise


def _as_asked(error: StorageError, partial: Path, target: Path) -> StorageError:
    """Name a file of the hidden folder as the one that was asked for."""
    if error.file is None or not Path(error.file).is_relative_to(partial):
        return error
    return StorageError(
        error.problem,
        file=target / Path(error.file).relative_to(partial),
        found=error.found,
        remedy=error.remedy,
    )


def refuse_existing(path: str | Path) -> None:
    """Refuse to write over something that already stands there."""
    target = _output(path)
    with storage_errors(target):
        exists = target.exists()
    if exists:
        raise InputError(
            "this already exists",
            file=target,
            remedy="Choose another output, or remove it first",
        )
