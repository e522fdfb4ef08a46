// What the pages share: elements made of text nodes only, and the button that copies.

/**
 * An element. Strings become text nodes, so nothing that a document says is ever read as HTML;
 * lists of children may lie in lists, and children that are null, undefined or false are left out.
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  const isThere = (child) => child !== null && child !== undefined && child !== false;
  made.append(...children.flat(Infinity).filter(isThere));
  return made;
}

/** A text as children of an element: what stands between two backquotes as code. */
export function inline(text) {
  const parts = (text ?? "").split(/`([^`]+)`/);
  return parts.map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part));
}

/** Paragraphs, each as `inline` has it. */
export function prose(text) {
  return (text ?? "").split(/\n{2,}/).filter(Boolean).map((part) => element("p", {}, inline(part)));
}

/** Text with its line breaks and blanks kept, and a button that copies it. */
export function codeBlock(text, title) {
  const code = element("code", {}, text);
  const head = element("div", { class: "code-head" }, element("span", {}, title), copyButton(code));
  return element("div", { class: "code" }, head, element("pre", {}, code));
}

/** A button that copies the text of `source` as it is when pressed. */
export function copyButton(source) {
  const button = element("button", { type: "button", class: "copy", "aria-live": "polite" }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copied(source)) ? "Copied" : "Selected";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}

// The clipboard is closed to pages that came over plain HTTP from another machine; there the text
// is selected, so that one key copies it.
async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return false;
  }
}
