"""Check what the terminal of `user-tags up` says of the console."""

from service.cli.status import address_lines


def test_a_console_that_is_not_built_is_not_passed_over_in_silence() -> None:
    built = "\n".join(address_lines("http://there", with_console=True))
    assert "Console    http://there/\n" in built
    assert "IDE, in a browser" in built
    missing = "\n".join(address_lines("http://there", with_console=False))
    assert "run `make console`" in missing
    assert "http://there/\n" not in missing
    assert "IDE, in a browser" not in missing
    for lines in (built, missing):
        assert "http://there/graphql" in lines
        assert "http://there/readyz" in lines
