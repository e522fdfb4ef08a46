// Reads JSON Schema 2020-12 the way OpenAPI 3.1 uses it. Pure: a document goes in, plain values
// come out, and every walk ends even where schemas refer to themselves.

/** The part of `document` that a local reference (`#/…`) points to, or undefined. */
export function lookUp(document, reference) {
  if (!reference.startsWith("#/")) return undefined;
  let node = document;
  for (const step of reference.slice(2).split("/")) {
    const key = percentDecoded(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (node === null || typeof node !== "object" || !Object.hasOwn(node, key)) return undefined;
    node = node[key];
  }
  return node;
}

function percentDecoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a person calls a reference: its last step. */
export function nameOf(reference) {
  return percentDecoded(reference.slice(reference.lastIndexOf("/") + 1));
}

/**
 * Follows `$ref` to its end. What stands beside a `$ref` wins over what it points to, as 3.1 has it.
 * `refs` are the references followed, outermost first.
 */
export function resolve(document, node) {
  const refs = [];
  let schema = node === false ? { not: {} } : { ...node };
  while (typeof schema.$ref === "string") {
    const { $ref, ...beside } = schema;
    if (refs.includes($ref)) return { schema: beside, refs };
    refs.push($ref);
    schema = { ...lookUp(document, $ref), ...beside };
  }
  return { schema, refs };
}

/**
 * One schema with its references followed, its `allOf` merged and `null` taken out of its choices:
 * `{ schema, refs, name, types, nullable, choices }`. `name` is that of the schema referred to.
 */
export function shapeOf(document, node, outer = []) {
  const { schema: own, refs } = resolve(document, node);
  const seen = [...outer, ...refs];
  const schema = merged(document, own, seen);
  const name = refs.length > 0 ? nameOf(refs[0]) : undefined;
  const all = schema.oneOf ?? schema.anyOf ?? [];
  const choices = all.filter((choice) => !isNull(document, choice));
  const nullable = choices.length < all.length || typesOf(schema).includes("null");
  const types = typesOf(schema).filter((type) => type !== "null");
  const [only] = choices;
  if (choices.length === 1 && types.length === 0 && !repeats(only, seen)) {
    const inner = shapeOf(document, only, seen);
    const description = schema.description ?? inner.schema.description;
    return {
      ...inner,
      schema: { ...inner.schema, description },
      refs: [...refs, ...inner.refs],
      name: name ?? inner.name,
      nullable: nullable || inner.nullable,
    };
  }
  return { schema, refs, name, types, nullable, choices };
}

/** Whether a schema refers to one of `refs`, on whose way it lies. */
export function repeats(node, refs) {
  return typeof node?.$ref === "string" && refs.includes(node.$ref);
}

function merged(document, schema, seen) {
  if (!Array.isArray(schema.allOf)) return schema;
  const { allOf, ...own } = schema;
  const parts = allOf
    .filter((part) => !repeats(part, seen))
    .map((part) => {
      const { schema: inner, refs } = resolve(document, part);
      return merged(document, inner, [...seen, ...refs]);
    });
  const whole = Object.assign({}, ...parts, own);
  const all = [...parts, own];
  const properties = Object.assign({}, ...all.map((part) => part.properties ?? {}));
  const required = all.flatMap((part) => part.required ?? []);
  if (Object.keys(properties).length > 0) whole.properties = properties;
  if (required.length > 0) whole.required = [...new Set(required)];
  return whole;
}

function isNull(document, node) {
  const { schema } = resolve(document, node);
  return schema.type === "null" || schema.const === null;
}

function typesOf(schema) {
  if (Array.isArray(schema.type)) return schema.type;
  if (schema.type) return [schema.type];
  if (schema.properties || schema.additionalProperties) return ["object"];
  if (schema.items || schema.prefixItems) return ["array"];
  return [];
}

/** The properties of an object: `[{ name, schema, required }]`, as written. */
export function propertiesOf(shape) {
  const required = new Set(shape.schema.required ?? []);
  return Object.entries(shape.schema.properties ?? {}).map(([name, schema]) => ({
    name,
    schema,
    required: required.has(name),
  }));
}

/** The schema of the values of an object used as a map, or undefined. */
export function mapValueOf(shape) {
  const value = shape.schema.additionalProperties;
  return value && typeof value === "object" ? value : undefined;
}

/** A type in a few words: `string (date-time)`, `array of Event`, `integer or null`. */
export function label(document, node) {
  const shape = shapeOf(document, node);
  return shape.nullable ? `${plainLabel(document, shape)} or null` : plainLabel(document, shape);
}

function plainLabel(document, shape) {
  const { schema, types, name, choices } = shape;
  const isCompound = choices.length > 0 || types.includes("object") || types.includes("array");
  if (name && isCompound) return name;
  if (choices.length > 0) {
    return [...new Set(choices.map((choice) => label(document, choice)))].join(" or ");
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (types.length === 0) return schema.enum ? "one of" : "any value";
  return types.map((type) => typeLabel(document, type, shape)).join(" or ");
}

function typeLabel(document, type, shape) {
  const { schema } = shape;
  if (type === "array") {
    return schema.items ? `array of ${label(document, schema.items)}` : "array";
  }
  const value = mapValueOf(shape);
  if (type === "object" && value) return `map of ${label(document, value)}`;
  return schema.format ? `${type} (${schema.format})` : type;
}

/** The limits on a value, each in a few words. */
export function constraintsOf(schema) {
  const said = [];
  const range = (least, most, unit) => {
    const text = (n) => n.toLocaleString("en");
    if (least !== undefined && most !== undefined) {
      said.push(`${text(least)} to ${text(most)}${unit}`);
    } else if (least !== undefined) said.push(`at least ${text(least)}${unit}`);
    else if (most !== undefined) said.push(`at most ${text(most)}${unit}`);
  };
  range(schema.minimum, schema.maximum, "");
  range(schema.minLength, schema.maxLength, " characters");
  range(schema.minItems, schema.maxItems, " items");
  if (schema.exclusiveMinimum !== undefined) said.push(`more than ${schema.exclusiveMinimum}`);
  if (schema.exclusiveMaximum !== undefined) said.push(`less than ${schema.exclusiveMaximum}`);
  if (schema.pattern !== undefined) said.push(`matches ${schema.pattern}`);
  if (schema.default !== undefined) said.push(`default ${JSON.stringify(schema.default)}`);
  return said;
}

const TEXT_BY_FORMAT = {
  "date-time": "2026-01-31T12:00:00Z",
  date: "2026-01-31",
  email: "ada@example.com",
  uri: "https://example.com/",
  uuid: "0198f0c2-7f3e-7c4a-9d1b-2f6a8c0e5b71",
};

/**
 * A value that fits a schema, the author's own example where there is one; undefined for none.
 * `name` is that of the field whose value it is.
 */
export function exampleOf(document, node, outer = [], name = "") {
  if (repeats(node, outer)) return undefined;
  const { schema, refs, types, nullable, choices } = shapeOf(document, node, outer);
  const seen = [...outer, ...refs];
  if (schema.example !== undefined) return schema.example;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  if (schema.enum?.length > 0) return schema.enum[0];
  for (const choice of choices) {
    const value = exampleOf(document, choice, seen, name);
    if (value !== undefined) return value;
  }
  const [type] = types;
  if (type === "string") return exampleOfText(schema, name);
  return exampleOfType(document, type, schema, seen) ?? (nullable ? null : undefined);
}

/** A secret that a server hands out is named and no more: nobody takes it for one that works. */
function exampleOfText({ format }, name) {
  if (format === "password" && /^$|pass(word|phrase)/i.test(name)) return "correct horse battery staple";
  const isSecret = format === "password" || /(^|_)(token|secret)$/i.test(name);
  return isSecret ? name.toUpperCase() : TEXT_BY_FORMAT[format] ?? "text";
}

function exampleOfType(document, type, schema, seen) {
  switch (type) {
    case "object": {
      const pairs = Object.entries(schema.properties ?? {})
        .map(([name, inner]) => [name, exampleOf(document, inner, seen, name)])
        .filter(([, value]) => value !== undefined);
      return Object.fromEntries(pairs);
    }
    case "array": {
      const item = schema.items && exampleOf(document, schema.items, seen);
      return item === undefined ? [] : [item];
    }
    case "integer":
    case "number":
      return schema.minimum ?? 1;
    case "boolean":
      return true;
    default:
      return undefined;
  }
}
