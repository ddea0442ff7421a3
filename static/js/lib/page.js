/* The parts of a page for answering that more than one module speaks of. */

export const at = (id) => document.getElementById(id);
export const desk = document.querySelector(".desk");
export const form = document.querySelector("form[data-identity]");
export const stage = desk.querySelector(".stage");
export const csrfToken = () => form.elements.csrfmiddlewaretoken.value;
