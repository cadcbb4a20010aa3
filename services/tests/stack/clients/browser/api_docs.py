"""Signs in on the page under /api/docs/ and calls version 2 from there."""

from visitor import SEED, Visitor, browser


def authorize(page, client):
    name, password = SEED[client]
    page.locator(".auth-wrapper .authorize").click()
    form = page.locator(".auth-container").first
    form.locator("#client_id_clientCredentials").fill(name)
    form.locator("#client_secret_clientCredentials").fill(password)
    form.locator("button.authorize").click()
    form.get_by_text("Logout").wait_for()
    page.locator(".btn-done").first.click()


def call(page):
    """Asks for the attendance of a day. Returns the status and the rows."""
    operation = page.locator(".opblock", has=page.locator("[data-path='/api/v2/attendance']"))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    for name in ("start_date", "end_date"):
        operation.locator(f"[data-param-name={name}] input").fill(SEED["day"])
    with page.expect_response("**/api/v2/attendance?**") as answer:
        operation.get_by_role("button", name="Execute").click()
    return answer.value


with browser() as chromium:
    visitor = Visitor(chromium)
    page = visitor.page
    visitor.open("/api/docs/")
    documents = page.locator("#select")
    names = documents.locator("option").all_inner_texts()
    assert names[:2] == ["Reporting, version 1 (KB008)", "Reporting, version 2"], names
    page.wait_for_selector(".opblock")
    documents.select_option("Reporting, version 2")
    page.locator("[data-path='/api/v2/attendance']").wait_for()
    authorize(page, "reader")
    answer = call(page)
    assert answer.status == 200, (answer.status, answer.text())
    assert SEED["markup"] in answer.text(), answer.text()
    page.screenshot(path="/screenshots/api-docs.png", full_page=True)
    # The page works without the inline style of Swagger UI that the browser blocks.
    faults = [fault for fault in visitor.faults if "inline style" not in fault]
    assert not faults, faults
