/** The sell form as plain data, and back. */

const NOT_TYPED = new Set(["file", "submit", "button", "hidden"]);
const WITHOUT_SCRIPT = new Set(["cover", "remove_photo"]); // controls for pages without JavaScript
const isKept = ({ name, type }) =>
  name && !NOT_TYPED.has(type) && !WITHOUT_SCRIPT.has(name) && !name.startsWith("alt-");

/** {name: value} of everything the merchant typed or chose, photos apart. */
export function readFields(form) {
  const values = {};
  for (const control of form.elements) {
    if (!isKept(control)) continue;
    if (control.type === "radio" || control.type === "checkbox") {
      if (control.checked) values[control.name] = control.value;
    } else {
      values[control.name] = control.value;
    }
  }
  return values;
}

export function writeFields(form, values) {
  for (const control of form.elements) {
    if (!isKept(control)) continue;
    const value = values[control.name];
    if (control.type === "radio" || control.type === "checkbox") control.checked = value === control.value;
    else if (typeof value === "string") control.value = value;
    // For what hangs on one field (counters, details of the category); not bubbling, for nobody typed.
    control.dispatchEvent(new Event("input"));
    control.dispatchEvent(new Event("change"));
  }
}

/** True when the merchant typed before this script ran. */
export function wasTyped(form) {
  return ["title", "description"].some((name) => form.elements[name] && form.elements[name].value !== form.elements[name].defaultValue);
}

/**
 * What is checked, exactly as it will be submitted; listings/content.py builds the same list on the server.
 * @param {Array<{id: string, attributes: Array<{id: string, kind: string}>}>} categories
 * @returns {Array<[string, string]>} title, description, then attributes and alternative texts where there are any
 */
export function textFields(form, categories, altTexts) {
  const chosen = categories.find((category) => category.id === form.elements.category?.value);
  const attributes = (chosen?.attributes ?? [])
    .filter((attribute) => attribute.kind === "text")
    .map((attribute) => form.elements[`attr-${chosen.id}-${attribute.id}`]?.value ?? "")
    .filter((value) => !isEmpty(value)); // the server stores none of these
  const fields = [
    ["title", form.elements.title?.value ?? ""],
    ["description", form.elements.description?.value ?? ""],
    ["attributes", joined(attributes)],
    ["alt", joined(altTexts)],
  ];
  return fields.filter(([, text], index) => index < 2 || text !== "");
}

const joined = (texts) => texts.filter((text) => text !== "").join("\n");

export const isBlank = (fields) => fields.every(([, text]) => isEmpty(text));

const isEmpty = (text) => /^\s*$/.test(text);
