// Making elements. Text only ever becomes text, so nothing that a model or a service says can become markup.

/** An element with attributes (a function is a listener, null and false are left out) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Replace the children by these. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null && child !== ""));
}

/** One hundred dots, so many of them filled. */
export function dots(filled) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 100 100");
  picture.setAttribute("class", "dots");
  picture.setAttribute("aria-hidden", "true");
  for (let dot = 0; dot < 100; dot += 1) {
    const circle = document.createElementNS(space, "circle");
    circle.setAttribute("cx", String((dot % 10) * 10 + 5));
    circle.setAttribute("cy", String(Math.floor(dot / 10) * 10 + 5));
    circle.setAttribute("r", "3.7");
    circle.setAttribute("class", dot < filled ? "on" : "off");
    picture.append(circle);
  }
  return picture;
}
