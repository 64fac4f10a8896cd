"""The system's Chromium, as tests, screenshots and benchmarks start it."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from playwright import async_api, sync_api

from malvakt.outcome import CallError

NO_CHROMIUM = "there is no Chromium; install Debian's package `chromium`, or name one in MALVAKT_CHROMIUM"

# Root, as which CI runs in containers, has no sandbox; the page is our own.
_ARGUMENTS = ["--no-sandbox"]


def chromium_path() -> str | None:
    """Where there is one."""
    named = os.environ.get("MALVAKT_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


def needed_chromium() -> str:
    """Where it is, for what measures it.

    Raises:
        CallError: there is none.
    """
    path = chromium_path()
    if path is None:
        raise CallError(f"{NO_CHROMIUM}.")
    return path


@contextmanager
def launched(path: str) -> Iterator[sync_api.Browser]:
    """A running browser, for those who wait for it."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@asynccontextmanager
async def launched_beside(path: str) -> AsyncIterator[async_api.Browser]:
    """A running browser, for those who do other things beside it."""
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        await browser.close()
