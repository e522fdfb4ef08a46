// Draws the API reference as a browser would, in a DOM of its own that holds no more than the page's
// scripts use, and compares it with the document: node pages.mjs ASSETS OPENAPI_JSON

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

class Element {
  constructor(tag) {
    Object.assign(this, { tag, attributes: new Map(), nodes: [], parent: null, listeners: new Map() });
  }
  get id() { return this.getAttribute("id") ?? ""; }
  get hidden() { return this.attributes.has("hidden"); }
  set hidden(is) { if (is) this.setAttribute("hidden", ""); else this.attributes.delete("hidden"); }
  get textContent() { return this.nodes.map((node) => node.textContent ?? node).join(""); }
  set textContent(text) { this.replaceChildren(text); }
  setAttribute(name, value) { this.attributes.set(name, String(value)); }
  getAttribute(name) { return this.attributes.get(name) ?? null; }
  // As in a browser, what is no node becomes its text: a list would be read as `[object …]`.
  append(...nodes) {
    for (const node of nodes) {
      if (node instanceof Element) node.parent = this;
      this.nodes.push(node instanceof Element ? node : String(node));
    }
  }
  prepend(node) { this.nodes.unshift(node); }
  replaceChildren(...nodes) { this.nodes = []; this.append(...nodes); }
  addEventListener(kind, listener) { this.listeners.set(kind, listener); }
  /** The elements inside for which `fits` holds, in order. */
  inside(fits, found = []) {
    for (const node of this.nodes) {
      if (!(node instanceof Element)) continue;
      if (fits(node)) found.push(node);
      node.inside(fits, found);
    }
    return found;
  }
  /** One tag, `.class` or `[name="value"]`; no more is needed. */
  querySelectorAll(selector) {
    const [, name, value] = selector.match(/^\[([\w-]+)="(.*)"\]$/) ?? [];
    if (name) return this.inside((one) => one.getAttribute(name) === value);
    const classes = (one) => one.getAttribute("class")?.split(" ") ?? [];
    return this.inside((one) => [one.tag, ...classes(one).map((name) => `.${name}`)].includes(selector));
  }
  querySelector(selector) { return this.querySelectorAll(selector)[0] ?? null; }
  getElementById(id) { return this.querySelector(`[id="${id}"]`); }
  scrollIntoView() {}
  get isShown() { return !this.hidden && (this.parent === null || this.parent.isShown); }
}

/** A page of ours: every element is closed, but those that never are. */
function parsed(html) {
  const page = new Element("#document");
  let open = page;
  for (const [, end, tag, rest, text] of html.matchAll(/<(\/?)([a-z]\w*)([^>]*)>|([^<]+)/g)) {
    if (text !== undefined) open.append(text);
    else if (end) open = open.parent;
    else {
      const made = new Element(tag);
      for (const [, name, value] of rest.matchAll(/([\w-]+)="([^"]*)"/g)) made.setAttribute(name, value);
      open.append(made);
      if (!/^(meta|link|img|input|br)$/.test(tag)) open = made;
    }
  }
  return page;
}

const [assets, openapi] = process.argv.slice(2);

/** The page after its script ran, with `description` as what the server answers. */
async function drawn(scripts, description) {
  const page = parsed(readFileSync(join(assets, "docs.html"), "utf8"));
  page.createElement = (tag) => new Element(tag);
  const fetch = async () => ({ ok: true, status: 200, json: async () => description });
  const matchMedia = () => ({ matches: false, addEventListener() {} });
  const location = { hash: "#search", origin: "http://127.0.0.1:8080" };
  Object.assign(globalThis, { document: page, fetch, matchMedia, location, addEventListener() {} });
  // A new address each time: a module runs once.
  await import(`${pathToFileURL(join(scripts, "docs.js"))}?${Object.keys(description.paths).length}`);
  return page;
}

/** What a node of the document stands for, and all names of fields in a schema, however deep. */
function followed(document, node) {
  if (typeof node?.$ref !== "string") return node;
  const steps = node.$ref.slice(2).split("/");
  return followed(document, steps.reduce((at, step) => at[step.replace("~1", "/")], document));
}

function fieldNames(document, node, seen = []) {
  if (node === null || typeof node !== "object" || seen.includes(node.$ref)) return [];
  const schema = followed(document, node);
  const deeper = node.$ref ? [...seen, node.$ref] : seen;
  const properties = Object.entries(schema.properties ?? {});
  const values = properties.length > 0 ? [] : [schema.items, schema.additionalProperties];
  const inner = [schema.allOf, schema.oneOf, schema.anyOf].flatMap((list) => list ?? []);
  return [
    ...properties.flatMap(([name, one]) => [name, ...fieldNames(document, one, deeper)]),
    ...[...values, ...inner].flatMap((one) => fieldNames(document, one, deeper)),
  ];
}

/** Every operation of the document as it stands there. */
function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, item]) => {
    const methods = Object.entries(item).filter(([, own]) => own.responses);
    return methods.map(([method, own]) => ({ path, method: method.toUpperCase(), item, own }));
  });
}

function holdsAll(part, names, where) {
  const terms = part?.querySelectorAll("dt") ?? [];
  const there = terms.map((term) => term.querySelector("code").textContent);
  for (const name of names) assert.ok(there.includes(name), `${where}: ${name} is not drawn`);
}

function jsonFields(document, content) {
  const media = Object.entries(content ?? {}).filter(([type]) => /[/+]json\b/.test(type));
  return media.flatMap(([, one]) => fieldNames(document, one.schema));
}

function checkOperation(document, page, { path, method, item, own }) {
  const where = `${method} ${path}`;
  const articles = page.querySelectorAll("article").filter((one) => {
    const [said, at] = one.querySelector(".path").nodes;
    return said.textContent === method && at.textContent === path;
  });
  const [article] = articles;
  assert.equal(articles.length, 1, `${where} is drawn once`);
  const parts = new Map();
  let head;
  for (const node of article.nodes) {
    if (node.tag === "h4") parts.set(head = node.textContent, new Element("div"));
    else if (head) parts.get(head).nodes.push(node);
  }
  for (const one of [...item.parameters ?? [], ...own.parameters ?? []]) {
    holdsAll(parts.get("Parameters"), [followed(document, one).name], where);
  }
  const body = own.requestBody && followed(document, own.requestBody);
  const text = parts.get("Body")?.textContent ?? "";
  for (const type of Object.keys(body?.content ?? {})) assert.ok(text.includes(type), where);
  holdsAll(parts.get("Body"), jsonFields(document, body?.content), where);
  const answers = parts.get("Answers").querySelectorAll(".answer");
  assert.equal(answers.length, Object.keys(own.responses).length, `${where}: answers`);
  Object.entries(own.responses).forEach(([status, node], at) => {
    const name = status === "default" ? "error" : status;
    assert.equal(answers[at].querySelector(".status").textContent, name, where);
    holdsAll(answers[at], jsonFields(document, followed(document, node).content), `${where} ${name}`);
  });
  const contents = page.getElementById("contents");
  assert.ok(contents.querySelector(`[href="#${article.id}"]`), `${where} is in the list`);
}

function check(document, page) {
  assert.equal(page.getElementById("state")?.textContent, undefined, "the script ends early");
  assert.ok(!page.textContent.includes("[object "), "a list or an element is drawn as text");
  const quotes = (one) => one.tag !== "code" && one.nodes.some((node) => node.includes?.("`"));
  assert.deepEqual(page.inside(quotes).map((one) => one.textContent), [], "backquotes are drawn");
  const ids = page.inside((one) => one.id !== "").map((one) => one.id);
  assert.deepEqual(ids.filter((id, at) => ids.indexOf(id) !== at), [], "ids that are not unique");
  const operations = operationsOf(document);
  for (const operation of operations) checkOperation(document, page, operation);

  const [search] = page.querySelectorAll("input");
  const shown = (value) => {
    search.value = value;
    search.listeners.get("input")();
    assert.ok(search.isShown, `searching ${value} hides the search`);
    return page.querySelectorAll("article").filter((one) => one.isShown).length;
  };
  for (const tag of new Set(operations.map(({ own }) => own.tags[0]))) {
    const fitting = shown(tag.toUpperCase());
    assert.ok(fitting > 0 && fitting < operations.length, `searching ${tag} shows ${fitting}`);
  }
  assert.deepEqual([shown("no such words"), shown("")], [0, operations.length]);
}

const scripts = mkdtempSync(join(tmpdir(), "ledgerline-pages-"));
try {
  cpSync(assets, scripts, { recursive: true });
  writeFileSync(join(scripts, "package.json"), '{"type": "module"}');
  const document = JSON.parse(readFileSync(openapi, "utf8"));
  check(document, await drawn(scripts, document));
  // A document that grows: a new tag, names that the page itself uses, and more than one shape.
  const name = { name: "metadata.KEY", in: "query", schema: { type: "string" } };
  const fruit = ["apple", "pear"].map((key) => ({ properties: { [key]: { type: "string" } } }));
  const schema = { properties: { kind: { type: "string" } }, oneOf: fruit };
  const requestBody = { content: { "application/json": { schema } } };
  const rest = { tags: ["new"], requestBody, responses: { 201: { description: "`made`" } } };
  for (const operationId of ["search", "contents", "a.b", "a b"]) {
    const post = { operationId, parameters: [name], ...rest };
    document.paths[`/new/${encodeURI(operationId)}`] = { post };
  }
  check(document, await drawn(scripts, document));
} finally {
  rmSync(scripts, { recursive: true });
}
