// Draws the API reference from the served OpenAPI document.

import { element } from "./page.js";
import { groupsOf, matches, operationsOf } from "./operations.js";
import { drawOperation } from "./render.js";

const reference = document.getElementById("reference");
const contents = document.getElementById("contents");
const state = document.getElementById("state");
const search = document.getElementById("search");
const found = document.getElementById("found");

try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  draw(await answer.json());
} catch (error) {
  state.textContent = `The API’s description could not be read (${error.message}).`;
}

function draw(description) {
  const groups = groupsOf(description, operationsOf(description));
  reference.replaceChildren(heading(description), ...groups.map((group) => section(description, group)));
  contents.replaceChildren(...groups.map(contentsOf));
  search.addEventListener("input", () => narrow(groups));
  addEventListener("keydown", focusSearch);
  // What the address points to was not there yet when the browser looked for it.
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target) target.scrollIntoView();
}

function heading(description) {
  const { title, version, description: text } = description.info;
  return element(
    "header",
    {},
    element("h1", {}, `${title} API`),
    element("p", { class: "facts" }, `Version ${version} · OpenAPI ${description.openapi}`),
    element("p", { class: "lead" }, text ?? ""),
  );
}

function section(description, group) {
  return element(
    "section",
    { id: group.id, "aria-labelledby": `${group.id}-title` },
    element("h2", { id: `${group.id}-title` }, group.name),
    element("p", { class: "lead" }, group.description ?? ""),
    group.operations.map((operation) => drawOperation(description, operation)),
  );
}

function contentsOf(group) {
  const links = group.operations.map((operation) => element(
    "li",
    { "data-operation": operation.id },
    element(
      "a",
      { href: `#${operation.id}` },
      element("span", { class: `method ${operation.method.toLowerCase()}` }, operation.method),
      element("span", {}, operation.summary),
    ),
  ));
  return element("div", { "data-group": group.id }, element("h3", {}, group.name), element("ul", {}, links));
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
  found.textContent = search.value ? `${count} operations found` : "";
}

function focusSearch(event) {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
}
