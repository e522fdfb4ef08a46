// One operation of the reference as elements: what it takes, what it answers, how to call it.

import { codeBlock, element } from "./page.js";
import { asText, curl, mediaExample } from "./operations.js";
import { constraintsOf, label, mapValueOf, propertiesOf, repeats, shapeOf } from "./schema.js";

/** An operation as an article whose id is the operation's. */
export function drawOperation(document, operation) {
  const { id, method, path, summary, description, parameters, body, responses } = operation;
  return element(
    "article",
    { id },
    element("h3", {}, element("a", { href: `#${id}` }, summary)),
    element(
      "p",
      { class: "path" },
      element("span", { class: `method ${method.toLowerCase()}` }, method),
      element("code", {}, path),
      !operation.needsCredential && element("span", { class: "badge" }, "no credential needed"),
      operation.deprecated && element("span", { class: "badge" }, "deprecated"),
    ),
    prose(description),
    codeBlock(curl(document, operation, location.origin), "Call"),
    parameters.length > 0 && [element("h4", {}, "Parameters"), parameterTable(document, parameters)],
    body && [element("h4", {}, "Body"), prose(body.description), media(document, body.content, true)],
    element("h4", {}, "Answers"),
    responses.map((response) => drawResponse(document, response)),
  );
}

/** Paragraphs, with what stands between backquotes as code. */
export function prose(text) {
  return (text ?? "").split(/\n{2,}/).filter(Boolean).map((paragraph) => {
    const parts = paragraph.split("`");
    const drawn = parts.map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part));
    return element("p", {}, drawn);
  });
}

function parameterTable(document, parameters) {
  const rows = parameters.map((parameter) => element(
    "tr",
    {},
    element("th", { scope: "row" }, element("code", {}, parameter.name), required(parameter.required)),
    element("td", {}, `${parameter.in}, ${label(document, parameter.schema ?? {})}`),
    element("td", {}, prose(parameter.description)),
  ));
  return table(["Name", "Where and type", "Meaning"], rows);
}

function table(heads, rows) {
  const head = element("tr", {}, heads.map((text) => element("th", { scope: "col" }, text)));
  const drawn = element("table", {}, element("thead", {}, head), element("tbody", {}, rows));
  return element("div", { class: "wide", tabindex: "0" }, drawn);
}

function required(isRequired) {
  return isRequired && element("span", { class: "required" }, "required");
}

function drawResponse(document, response) {
  const name = response.status === "default" ? "error" : response.status;
  const kind = /^2/.test(response.status) ? "good" : "bad";
  return element(
    "details",
    { class: "answer", open: kind === "good" },
    element(
      "summary",
      {},
      element("span", { class: `status ${kind}` }, name),
      element("span", {}, response.description ?? ""),
    ),
    media(document, response.content, false),
  );
}

/** Each type of a body: its fields, and an example. */
function media(document, content, isRequest) {
  return Object.entries(content ?? {}).map(([type, one]) => {
    const example = mediaExample(document, one);
    const isJson = /[/+]json\b/.test(type);
    return element(
      "div",
      { class: "media" },
      element("p", { class: "media-type" }, element("code", {}, type)),
      isJson && one.schema !== undefined && fields(document, one.schema, []),
      isJson && !isRequest && example !== undefined && codeBlock(asText(example), "Example"),
    );
  });
}

/** The fields of a schema; those of an object inside are folded away, and end where they repeat. */
function fields(document, node, outer) {
  if (repeats(node, outer)) return null;
  const shape = shapeOf(document, node, outer);
  const seen = [...outer, ...shape.refs];
  const list = propertiesOf(shape);
  if (list.length > 0) {
    return element("dl", { class: "fields" }, list.map((field) => drawField(document, field, seen)));
  }
  const inner = shape.schema.items ?? mapValueOf(shape);
  return inner ? fields(document, inner, seen) : null;
}

function drawField(document, field, seen) {
  const { schema } = shapeOf(document, field.schema, seen);
  const limits = constraintsOf(schema).join(", ");
  const choices = schema.enum ? `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}` : "";
  const inner = fields(document, field.schema, seen);
  return [
    element(
      "dt",
      {},
      element("code", {}, field.name),
      element("span", { class: "type" }, label(document, field.schema)),
      required(field.required),
    ),
    element(
      "dd",
      {},
      prose(schema.description),
      (limits || choices) && element("p", { class: "limits" }, [choices, limits].filter(Boolean).join("; ")),
      inner && element("details", {}, element("summary", {}, "its fields"), inner),
    ),
  ];
}
