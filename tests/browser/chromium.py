"""A real browser against the real server: what people see, hear and press.

A `Window` notes what a browser complains about; `window.assert_good()` asks axe-core and
looks for sideways scrolling, and when the window closes nothing may have been complained of.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.architecture.asking import ROOT
from tests.needs import program

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
AXE = (ROOT / "tests" / "vendor" / "axe" / "axe.min.js").read_text()
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "locale": "zh-CN"}
DESK = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US"}
PATIENCE_MS = 60_000


@dataclass
class Window:
    """One page in a browser profile of its own."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def assert_good(self) -> None:
        """Nothing that axe-core finds, and nothing wider than the window."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run()")["violations"]
        assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []
        wide, seen = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= seen

    def text(self, selector: str = "main") -> str:
        return " ".join(self.page.inner_text(selector).split())

    def stage(self, name: str) -> None:
        """Wait until the checkout is at a stage."""
        self.page.wait_for_selector(f'[data-stage="{name}"]')


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser, as long as the tests of this folder run."""
    path = program("chromium", package="chromium fonts-noto-cjk")
    # Playwright keeps a loop running in this thread, which Django would take for asynchronous code.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_window(chromium: Browser) -> Iterator[Callable[..., Window]]:
    """Opens a window: `open_window(**PHONE)`, `open_window(java_script_enabled=False)`."""
    opened: list[Any] = []
    windows: list[Window] = []

    def make(**options: Any) -> Window:
        context = chromium.new_context(**options)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        window = Window(page)
        page.on(
            "console",
            lambda said: window.complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: window.complaints.append(str(error)))
        windows.append(window)
        return window

    yield make
    # Before the windows close: a browser complains of what it was still asking for then.
    complaints = [list(window.complaints) for window in windows if window.complaints]
    for context in opened:
        context.close()
    assert complaints == []
