"""Walks through the console with the keyboard alone, with scripts and without them."""

from visitor import SEED, Visitor, browser

YEAR, MONTH, DAY = SEED["day"].split("-")
FOCUS = """() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const { top, left, bottom, right, width, height } = element.getBoundingClientRect();
    const isInView = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    const isMarked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return {
        element: element.outerHTML.slice(0, 200),
        isBody: element === document.body,
        isVisible: isMarked && isInView && width > 1 && height > 1,
    };
}"""


def tab_to(page, locator):
    """Presses Tab until the element has the focus, which must be visible at each step."""
    for _ in range(200):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["isBody"] or focus["isVisible"], f"The focus is not visible: {focus}"
        if locator.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {locator}")


def press(page, locator):
    """Moves to an element and presses Enter."""
    tab_to(page, locator)
    page.keyboard.press("Enter")


def follow(page, locator, path):
    press(page, locator)
    page.wait_for_url(f"**{path}")


def type_into(page, locator, text):
    tab_to(page, locator)
    page.keyboard.type(text)


def sign_in(page, client):
    name, password = SEED[client]
    type_into(page, page.locator("#name"), name)
    type_into(page, page.locator("#password"), password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")


def choose_day(page):
    type_into(page, page.locator("#date"), MONTH + DAY + YEAR)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**date={SEED['day']}**")


def skip(page):
    """The first link leads past the navigation."""
    press(page, page.locator(".skip"))
    page.wait_for_url("**#main")
    tab_to(page, page.locator("main .button").first)


def download(page):
    press(page, page.locator(".downloads summary"))
    with page.expect_download() as started:
        press(page, page.get_by_role("link", name="CSV", exact=True))
    rows = started.value.path().read_text()
    assert rows.startswith("\ufeffdate,user,realm,") and SEED["markup"] in rows, rows


def walk(visitor):
    page = visitor.page
    visitor.open("/")
    sign_in(page, "reader")
    skip(page)
    choose_day(page)
    type_into(page, page.locator("#search"), "img")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=img**")
    follow(page, page.get_by_role("link", name="Worked"), "sort=worked**")
    assert page.locator("[aria-sort=ascending]").inner_text().startswith("Worked")
    download(page)
    follow(page, page.get_by_role("link", name=SEED["markup"]), "/person?**")
    press(page, page.locator("summary").first)
    assert page.get_by_text("<script>alert(2)</script>", exact=True).first.is_visible()
    follow(page, page.get_by_role("link", name="Exceptions"), "/exceptions")
    press(page, page.get_by_role("button", name="Deutsch"))
    page.wait_for_selector("html[lang=de]")
    follow(page, page.get_by_role("button", name="Abmelden"), "/sign-in**")
    visitor.open("/console/exceptions")
    assert "/console/sign-in" in page.url, page.url


with browser() as chromium:
    for scripts in (True, False):
        visitor = Visitor(chromium, java_script_enabled=scripts)
        walk(visitor)
        assert not visitor.faults, visitor.faults
