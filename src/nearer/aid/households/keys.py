"""
The keys of programmes' periods: one file each, in a folder outside every database and every backup.

A key is 256 random bits. Whoever has it and the household database can tell which household a tag of that period is;
once it is gone, nobody can, and tags of different periods cannot be linked.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

from nearer.aid.commands import CODE
from nearer.errors import OutputError, UsageError

_BYTES = 32


class KeyFolder:
    """
    A folder of keys.

    Parameters
    ----------
    folder
        Where; made with the first key, readable by its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def _file(self, programme: str, period: str) -> Path:
        for code in (programme, period):
            if re.fullmatch(CODE, code) is None:
                raise UsageError("A programme and a period are codes: small letters, digits, dashes.")
        return self.folder / f"{programme}.{period}.key"

    def read(self, programme: str, period: str) -> bytes | None:
        """
        The key of a period; None where there is none.

        Raises
        ------
        UsageError
            Others may read the file or the folder, or the file is no key.
        """
        file = self._file(programme, period)
        try:
            for path in (self.folder, file):
                if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
                    raise UsageError(f"Others may read {path}; take that away with chmod go-rwx.")
            key = bytes.fromhex(file.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            return None
        except ValueError as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"{file} is no key; put back the file that was there.") from error
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
        if len(key) != _BYTES:
            raise UsageError(f"{file} is no key; put back the file that was there.")
        return key

    def make(self, programme: str, period: str) -> bytes:
        """
        The key of a period, made now unless there is one; on the disk when this returns.

        Raises
        ------
        OutputError
            The folder cannot be written.
        UsageError
            As ``read``.
        """
        found = self.read(programme, period)
        if found is not None:
            return found
        file = self._file(programme, period)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".new-", dir=self.folder)  # readable by its owner alone
            try:
                with os.fdopen(handle, "w", encoding="ascii") as beside:
                    beside.write(f"{secrets.token_hex(_BYTES)}\n")
                    beside.flush()
                    os.fsync(beside.fileno())
                os.link(name, file)  # fails where another was quicker: then its key holds
            except FileExistsError:
                pass
            finally:
                Path(name).unlink()
            _settle(self.folder)
        except OSError as error:
            raise OutputError(file, error.strerror or error) from error
        found = self.read(programme, period)
        assert found is not None
        return found

    def delete(self, programme: str, period: str) -> bool:
        """
        Overwrite a key and remove its file; False where there was none.

        Raises
        ------
        OutputError
            The file cannot be removed.
        """
        file = self._file(programme, period)
        try:
            with file.open("r+b") as old:
                old.write(b"0" * file.stat().st_size)
                old.flush()
                os.fsync(old.fileno())
            file.unlink()
            _settle(self.folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise OutputError(file, error.strerror or error) from error
        return True


def _settle(folder: Path) -> None:
    """Have the folder's entries on the disk."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
