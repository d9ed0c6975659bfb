"""Read the files of `sql/`, wherever the service is installed."""

from importlib.resources import files
from pathlib import Path


def sql_folder() -> Path:
    """Return the folder `sql`.

    It lies beside the package `service` in a checkout, in a wheel and in the image, and is found from there: a folder
    of the same name in the working directory or in another package is never taken for it.
    """
    return Path(str(files("service"))).parent / "sql"


def read_sql(folder: str) -> dict[str, str]:
    """Return the text of each SQL file of a folder of `sql`, `{file name: text}`, in the order of their names.

    Raises FileNotFoundError where the installation lacks the folder.
    """
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted((sql_folder() / folder).glob("*.sql"))}
    if not found:
        raise FileNotFoundError(f"This installation has no SQL in {sql_folder() / folder}.")
    return found
