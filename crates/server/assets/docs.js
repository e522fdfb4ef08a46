// Draws the API reference from the served OpenAPI document.

import { element, inline, prose } from "./page.js";
import { groupsOf, matches, operationsOf } from "./operations.js";
import { drawOperation } from "./render.js";

const reference = document.getElementById("reference");
const contents = document.getElementById("contents");
const state = document.getElementById("state");
const search = document.getElementById("search");
const found = document.getElementById("found");
const menu = document.getElementById("menu");
const wide = matchMedia("(min-width: 48.01rem)");

try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  draw(await answer.json());
} catch (error) {
  state.textContent = `The API’s description could not be read (${error.message}).`;
  reference.prepend(state);
}

function draw(description) {
  const groups = groupsOf(description, operationsOf(description));
  reference.replaceChildren(heading(description), ...groups.map((group) => section(description, group)));
  contents.replaceChildren(...groups.map(contentsOf));
  search.addEventListener("input", () => narrow(groups));
  addEventListener("keydown", focusSearch);
  fitMenu();
  wide.addEventListener("change", fitMenu);
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a")) fitMenu();
  });
  // What the address points to was not there yet when the browser looked for it.
  document.getElementById(hashOf(location))?.scrollIntoView({ behavior: "instant" });
}

/** The list of operations stands open beside the reference; above it, it is folded away. */
function fitMenu() {
  menu.open = wide.matches;
}

function hashOf({ hash }) {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return hash.slice(1);
  }
}

function heading(description) {
  const { title, version, description: text } = description.info;
  return element(
    "header",
    {},
    element("h1", {}, `${title} API`),
    element("p", { class: "facts" }, `Version ${version} · OpenAPI ${description.openapi}`),
    element("div", { class: "lead" }, prose(text)),
  );
}

function section(description, group) {
  return element(
    "section",
    { id: group.id, "aria-labelledby": `title-${group.id}` },
    element("h2", { id: `title-${group.id}` }, titleOf(group)),
    element("div", { class: "lead" }, prose(group.description)),
    group.operations.map((operation) => drawOperation(description, operation)),
  );
}

function titleOf({ name }) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function contentsOf(group) {
  const links = group.operations.map((operation) => element(
    "li",
    { "data-operation": operation.id },
    element(
      "a",
      { href: `#${operation.id}` },
      element("span", { class: `method ${operation.method.toLowerCase()}` }, operation.method),
      element("span", {}, inline(operation.summary)),
    ),
  ));
  return element(
    "div",
    { "data-group": group.id },
    element("h3", {}, titleOf(group)),
    element("ul", {}, links),
  );
}

/** Hides what does not match the search, in the list and in the page. */
function narrow(groups) {
  let count = 0;
  for (const group of groups) {
    let shown = 0;
    for (const operation of group.operations) {
      const isShown = matches(operation, search.value);
      document.getElementById(operation.id).hidden = !isShown;
      contents.querySelector(`[data-operation="${operation.id}"]`).hidden = !isShown;
      shown += isShown ? 1 : 0;
    }
    document.getElementById(group.id).hidden = shown === 0;
    contents.querySelector(`[data-group="${group.id}"]`).hidden = shown === 0;
    count += shown;
  }
  const what = count === 1 ? "operation" : "operations";
  found.textContent = search.value.trim() ? `${count} ${what} found` : "";
}

function focusSearch(event) {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
}
