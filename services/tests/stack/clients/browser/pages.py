"""Looks at every page of the console: in light and dark, in each language, on three screens."""

from urllib.parse import urlencode

from axe_playwright_python.sync_playwright import Axe
from visitor import SEED, Visitor, browser

DAY, FULL_DAY, MARKUP, OPEN = (SEED[name] for name in ("day", "full_day", "markup", "open"))
# Width, colour scheme, and whether axe looks. On the narrow screen more parts scroll.
SCREENS = [(320, "light", True), (768, "light", False), (1440, "dark", True)]
MAX_BYTES = 60_000


def mapping(language):
    """Returns a file with a new person for each language and run, and a row that is rejected."""
    new = f"{MARKUP} {SEED['source']} {language}"
    return f"""user,realm,employee_id,calendar,valid_from,valid_to
{new},,E-9,,2004-03-01,2004-03-31
bernd,,E-8,,2004-03-31,{MARKUP}
"""


def attendance(**query):
    return "/console/?" + urlencode({"date": DAY, **query})


def person(user, realm="Default", date=DAY):
    return "/console/person?" + urlencode({"user": user, "realm": realm, "date": date})


def show_all(page):
    """Opens what is folded."""
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")


def fail_to_sign_in(page):
    page.fill("#name", MARKUP)
    page.fill("#password", "wrong")
    page.click(".stacked button")
    page.wait_for_selector("#error")


def upload(page):
    content = mapping(page.locator("html").get_attribute("lang")).encode()
    page.set_input_files(
        "#file", {"name": f"{MARKUP}.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.click(".stacked button")
    page.wait_for_selector("[role=status]")


def upload_and_store(page):
    upload(page)
    with page.expect_navigation():
        page.click("form:not(.stacked) > .primary")


# Name, address, status, and what the visitor does there.
GUEST = [
    ("sign-in", "/console/sign-in", 200, None),
    ("sign-in-failed", "/console/sign-in", 200, fail_to_sign_in),
]
READER = [
    ("error-403", "/console/system", 403, None),
]
ADMIN = [
    ("day", attendance(absent="on"), 200, show_all),
    ("day-of-employees", attendance(rows="employees", absent="on"), 200, None),
    ("day-by-hours", attendance(sort="worked", direction="desc"), 200, None),
    ("day-of-nobody", attendance(date="1990-01-01"), 200, None),
    ("full-day", attendance(date=FULL_DAY), 200, None),
    ("open", attendance(date=OPEN["day"], search=OPEN["user"], view="timeline"), 200, None),
    ("timeline", attendance(view="timeline", absent="on"), 200, None),
    ("week", attendance(range="week"), 200, None),
    ("month", attendance(range="month"), 200, None),
    ("person", person(MARKUP, "<b>Sales</b>"), 200, show_all),
    ("person-timeout", person("timeout"), 200, show_all),
    ("person-restart", person("rita"), 200, show_all),
    ("person-open", person(OPEN["user"], date=OPEN["day"]), 200, show_all),
    ("person-longest", person("w" * 256), 200, show_all),
    ("employee", "/console/person?" + urlencode({"employee": "E-1", "date": DAY}), 200, show_all),
    ("exceptions", "/console/exceptions?from=2004-03-01&to=2004-03-31", 200, None),
    ("no-exceptions", "/console/exceptions?from=1990-01-01&to=1990-01-01", 200, None),
    ("people", "/console/people", 200, None),
    ("people-with-markup", "/console/people?" + urlencode({"user": MARKUP}), 200, None),
    ("mapping", "/console/people/mapping", 200, None),
    ("mapping-preview", "/console/people/mapping", 200, upload),
    ("mapping-stored", "/console/people/mapping", 200, upload_and_store),
    ("system", "/console/system", 200, None),
    ("sources", "/console/system/sources", 200, None),
    ("rejected", "/console/system/rejected?source=" + SEED["source"], 200, None),
    ("clients", "/console/system/clients", 200, None),
    ("audit", "/console/system/audit", 200, None),
    ("first-steps", "/console/first-steps", 200, None),
    ("error-400", attendance(date=MARKUP, state=MARKUP), 400, None),
    ("error-400-of-system", "/console/system/audit?from=" + MARKUP, 400, None),
    ("error-404", "/console/nothing", 404, None),
]
PRINTED = ("day", "timeline", "person", "exceptions")
WITH_MARKUP = ("day", "month", "person", "people-with-markup", "rejected", "error-400")


def look(visitor, name, language):
    """Checks the page on each screen. Adds what is wrong to the faults of the visitor."""
    page = visitor.page
    for width, scheme, with_axe in SCREENS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        inner = page.evaluate("document.scrollingElement.scrollWidth")
        if inner > width:
            visitor.faults.append(f"is {inner} px wide on a screen of {width} px")
        result = Axe().run(page) if with_axe else None
        if result and result.violations_count:
            visitor.faults.append(f"{width} px, {scheme}: {result.generate_report()}")
        picture = f"/screenshots/{name}-{language}-{width}-{scheme}.png"
        page.screenshot(path=picture, full_page=True)
    if name in PRINTED:
        page.emulate_media(media="print")
        page.screenshot(path=f"/screenshots/{name}-{language}-print.png", full_page=True)
        page.emulate_media(media="screen")
    if name in WITH_MARKUP:
        assert page.get_by_text(MARKUP).first.is_visible(), f"{name}: no markup as text"


def check(visitor, pages, language):
    """Returns the faults of the pages."""
    faults = []
    for name, path, status, act in pages:
        visitor.open(path, status)
        if act:
            act(visitor.page)
        look(visitor, name, language)
        faults += [f"{name} ({language}): {fault}" for fault in visitor.faults]
        visitor.faults.clear()
    return faults


def bytes_of(visitor, path):
    """Returns how many bytes the browser gets for a page and its files."""
    requests = []
    visitor.page.on("requestfinished", lambda request: requests.append(request))
    visitor.open(path)
    visitor.page.wait_for_load_state("networkidle")
    sizes = [request.sizes() for request in requests]
    return sum(size["responseHeadersSize"] + size["responseBodySize"] for size in sizes)


with browser() as chromium:
    faults = []
    for language in ("en", "de"):
        guest = Visitor(chromium, locale=language)
        reader = Visitor(chromium, locale=language).sign_in("reader")
        admin = Visitor(chromium, locale=language).sign_in("admin")
        for visitor, pages in ((guest, GUEST), (reader, READER), (admin, ADMIN)):
            faults += check(visitor, pages, language)
    # A browser without a cache.
    fresh = Visitor(chromium, storage_state=reader.page.context.storage_state())
    weight = bytes_of(fresh, attendance(date="1990-01-01"))
    print("bytes of a page without data:", weight)
    if not 5_000 < weight <= MAX_BYTES:
        faults.append(f"A page without data has {weight} bytes.")
    assert not faults, "\n".join(faults)
