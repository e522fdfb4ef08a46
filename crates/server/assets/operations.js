// Reads the operations of an OpenAPI document: what they are called, take and answer, and how to
// call them with curl. Pure, as schema.js is.

import { exampleOf, resolve } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];

/**
 * Every operation of the document: parameters merged, references at its own level followed. Its id
 * is that of its article, and no other element of the page has it.
 */
export function operationsOf(document) {
  const operations = [];
  const ids = new Set();
  for (const [path, node] of Object.entries(document.paths ?? {})) {
    const item = resolve(document, node).schema;
    for (const method of METHODS) {
      if (!item[method]) continue;
      const operation = operationOf(document, path, method, item);
      operations.push({ ...operation, id: distinct(operation.id, ids) });
    }
  }
  return operations;
}

/** `id`, or `id-2` and so on where `taken` has it; `taken` has it from then on. */
function distinct(id, taken) {
  let free = id;
  for (let count = 2; taken.has(free); count += 1) free = `${id}-${count}`;
  taken.add(free);
  return free;
}

function operationOf(document, path, method, item) {
  const own = item[method];
  const id = `op-${slug(own.operationId ?? `${method}-${path}`)}`;
  const parameters = new Map();
  for (const node of [...(item.parameters ?? []), ...(own.parameters ?? [])]) {
    const parameter = resolve(document, node).schema;
    parameters.set(`${parameter.in} ${parameter.name}`, parameter);
  }
  const responses = Object.entries(own.responses ?? {}).map(([status, node]) => {
    return { status, ...resolve(document, node).schema };
  });
  return {
    id,
    method: method.toUpperCase(),
    path,
    tag: own.tags?.[0] ?? "other",
    summary: own.summary ?? own.operationId ?? path,
    description: own.description ?? "",
    deprecated: own.deprecated === true,
    parameters: [...parameters.values()],
    body: own.requestBody && resolve(document, own.requestBody).schema,
    responses,
    needsCredential: needsCredential(own.security ?? document.security),
  };
}

function needsCredential(security) {
  const ways = security ?? [];
  return ways.length > 0 && ways.every((way) => Object.keys(way).length > 0);
}

/** Operations under their tags, in the order in which the document lists the tags. */
export function groupsOf(document, operations) {
  const listed = document.tags ?? [];
  const groups = new Map(listed.map((tag) => [tag.name, { ...tag, operations: [] }]));
  for (const operation of operations) {
    if (!groups.has(operation.tag)) {
      groups.set(operation.tag, { name: operation.tag, operations: [] });
    }
    groups.get(operation.tag).operations.push(operation);
  }
  const ids = new Set();
  return [...groups.values()]
    .filter((group) => group.operations.length > 0)
    .map((group) => ({ ...group, id: distinct(`tag-${slug(group.name)}`, ids) }));
}

/** A text as part of a link: letters, digits, `_` and `-`. */
export function slug(text) {
  return text.replaceAll(/[^\p{L}\p{N}_]+/gu, "-").replaceAll(/^-+|-+$/g, "");
}

/** Whether an operation says all the words of a search, in any order and any case. */
export function matches(operation, search) {
  const names = operation.parameters.map((parameter) => parameter.name);
  const codes = operation.responses.flatMap((response) => codesOf(response));
  const { method, path, tag, summary, description } = operation;
  const text = [method, path, tag, summary, description, ...names, ...codes].join(" ");
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => text.toLowerCase().includes(word));
}

/** The error codes that an answer may carry: its examples are named after them. */
export function codesOf(response) {
  if (!/^[45]/.test(response.status)) return [];
  return Object.values(response.content ?? {}).flatMap((media) => Object.keys(media.examples ?? {}));
}

/** The first way to write a body, JSON before others: `{ type, media, example }`, or undefined. */
export function mediaOf(document, content) {
  const entries = Object.entries(content ?? {});
  const [type, media] = entries.find(([name]) => /[/+]json\b/.test(name)) ?? entries[0] ?? [];
  return type && { type, media, example: mediaExample(document, media) };
}

/** What an author wrote as an example of a body, else one made from its schema. */
export function mediaExample(document, media) {
  if (media.example !== undefined) return media.example;
  const [named] = Object.values(media.examples ?? {});
  if (named !== undefined) return resolve(document, named).schema.value;
  return media.schema === undefined ? undefined : exampleOf(document, media.schema);
}

/** An example as it goes over the wire. */
export function asText(example) {
  return typeof example === "string" ? example : JSON.stringify(example, null, 2);
}

/** A curl command that makes the call as it stands, its key taken from `$LEDGERLINE_KEY`. */
export function curl(document, operation, origin) {
  const parts = [`curl ${shellWord(origin + target(document, operation))}`];
  const body = operation.body && mediaOf(document, operation.body.content);
  const implied = body ? "POST" : "GET";
  if (operation.method !== implied) parts[0] = parts[0].replace("curl", `curl -X ${operation.method}`);
  if (operation.needsCredential) parts.push('-H "Authorization: Bearer $LEDGERLINE_KEY"');
  for (const parameter of operation.parameters) {
    if (parameter.in === "header" && parameter.required) {
      parts.push(`-H ${quoted(`${parameter.name}: ${parameterExample(document, parameter)}`)}`);
    }
  }
  if (body) {
    parts.push(`-H ${quoted(`Content-Type: ${body.type}`)}`);
    const isText = body.example !== undefined && !/protobuf|octet-stream/.test(body.type);
    parts.push(isText ? `--data-binary ${quoted(asText(body.example))}` : "--data-binary @FILE");
  }
  return parts.join(" \\\n  ");
}

function target(document, operation) {
  const value = (parameter) => encodeURIComponent(parameterExample(document, parameter));
  let path = operation.path;
  const query = [];
  for (const parameter of operation.parameters) {
    if (parameter.in === "path") path = path.replaceAll(`{${parameter.name}}`, value(parameter));
    if (parameter.in === "query" && parameter.required) {
      query.push(`${encodeURIComponent(parameter.name)}=${value(parameter)}`);
    }
  }
  return query.length > 0 ? `${path}?${query.join("&")}` : path;
}

function parameterExample(document, parameter) {
  const example = mediaExample(document, parameter);
  return example === undefined || example === "text" ? parameter.name.toUpperCase() : String(example);
}

function shellWord(text) {
  return /^[\w.:/%@,+=-]+$/.test(text) ? text : quoted(text);
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
