// What the page's parts do with its elements. All text goes through textContent: nothing that came over the wire is ever read as HTML.

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function make(name, { className, text, ...attributes } = {}, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

// Makes the children of parent be about these items, in their order. A child stays the same element while its item is there, and who is in
// it with the keyboard stays there.
export function keyed(parent, items, keyOf, create, update) {
  const focused = document.activeElement;
  const before = new Map(Array.from(parent.children, (child) => [child.keyed, child]));
  const after = new Map();
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    if (after.has(key)) continue;
    let child = before.get(key);
    if (!child) {
      child = create(item);
      child.keyed = key;
    }
    after.set(key, child);
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
    update(child, item);
  }
  for (const [key, child] of before) if (!after.has(key)) child.remove();
  // An element that moves loses the focus.
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

// Keeps what is chosen while it is still there.
export function setOptions(select, options) {
  const wanted = JSON.stringify(options);
  if (select.wanted === wanted) return;
  select.wanted = wanted;
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => make('option', { value, text })));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}
