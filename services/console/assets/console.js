// Comfort for browsers with scripts. Every page works without this module.

// Filters the rows of a table while the visitor types: <input data-filter="ID of the table">.
for (const input of document.querySelectorAll("input[data-filter]")) {
  const table = document.getElementById(input.dataset.filter);
  if (!table) continue;
  input.closest("[hidden]")?.removeAttribute("hidden");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
  });
}

// Copies a command: <button data-copy="ID of the element with the command" hidden>.
function enableCopying() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const command = document.getElementById(button.dataset.copy);
    if (!command || !navigator.clipboard) continue;
    button.hidden = false;
    button.dataset.label ??= button.textContent;
    button.onclick = async () => {
      await navigator.clipboard.writeText(command.textContent.trim());
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
    };
  }
}
enableCopying();

// The key "/" moves to the search field.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("input[type=search]");
  if (search && !search.closest("[hidden]")) {
    event.preventDefault();
    search.focus();
  }
});

// Loads the parts of the page that change: <main data-refresh="seconds"> with
// <div data-live id="…"> elements in it. The rest of the page, and the focus, stay as they are.
const seconds = Number(document.querySelector("main")?.dataset.refresh);
if (seconds > 0) {
  const opened = Date.now();
  setInterval(async () => {
    // Stop after 30 minutes, because each request keeps the session from ending.
    if (document.hidden || Date.now() - opened > 30 * 60_000) return;
    const response = await fetch(location.href, { redirect: "error" }).catch(() => null);
    if (!response?.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const changed = page.getElementById(part.id);
      if (!changed || changed.innerHTML === part.innerHTML) continue;
      part.replaceChildren(...changed.childNodes);
    }
    enableCopying();
  }, seconds * 1000);
}
