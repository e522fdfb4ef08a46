// One operation of the reference as elements: what it takes, what it answers, how to call it.

import { codeBlock, element, inline, prose } from "./page.js";
import { asText, curl, mediaExample } from "./operations.js";
import { constraintsOf, label, mapValueOf, propertiesOf, repeats, shapeOf } from "./schema.js";

/** An operation as an article whose id is the operation's. */
export function drawOperation(document, operation) {
  const { id, method, path, summary, description, parameters, body, responses } = operation;
  return element(
    "article",
    { id },
    element("h3", {}, element("a", { href: `#${id}` }, inline(summary))),
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
    parameters.length > 0 && [element("h4", {}, "Parameters"), parameterList(document, parameters)],
    body && [element("h4", {}, "Body"), prose(body.description), media(document, body.content, true)],
    element("h4", {}, "Answers"),
    responses.map((response) => drawResponse(document, response)),
  );
}

/** Parameters as the fields of a body are drawn, with where they go. */
function parameterList(document, parameters) {
  const drawn = parameters.map(({ name, schema, required: isRequired, in: where, description }) => {
    const field = { name, schema: schema ?? {}, required: isRequired, where, description };
    return drawField(document, field, []);
  });
  return element("dl", { class: "fields" }, drawn);
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
      element("span", {}, inline(response.description)),
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
  const inner = shape.schema.items ?? mapValueOf(shape);
  if (list.length === 0 && inner) return fields(document, inner, seen);
  const drawn = shape.choices.map((choice) => drawChoice(document, choice, seen));
  if (list.length > 0) {
    drawn.unshift(element("dl", { class: "fields" }, list.map((field) => drawField(document, field, seen))));
  }
  return drawn.some(Boolean) ? drawn : null;
}

/** One of the shapes that a value may have, if it has fields. */
function drawChoice(document, choice, seen) {
  const inner = fields(document, choice, seen);
  return inner && [element("p", { class: "type" }, `as ${label(document, choice)}`), inner];
}

function drawField(document, field, seen) {
  const { schema } = shapeOf(document, field.schema, seen);
  const limits = constraintsOf(schema).join(", ");
  const choices = schema.enum ? `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}` : "";
  const type = label(document, field.schema);
  const inner = fields(document, field.schema, seen);
  return [
    element(
      "dt",
      {},
      element("code", {}, field.name),
      element("span", { class: "type" }, [field.where, type].filter(Boolean).join(", ")),
      required(field.required),
    ),
    element(
      "dd",
      {},
      prose(field.description ?? schema.description),
      (limits || choices) && element("p", { class: "limits" }, [choices, limits].filter(Boolean).join("; ")),
      inner && element("details", {}, element("summary", {}, "its fields"), inner),
    ),
  ];
}
