/* The parts of the page that more than one module speaks of. */

export const at = (id) => document.getElementById(id);
export const form = at("rating");
export const stage = document.querySelector(".stage");
export const csrfToken = () => form.elements.csrfmiddlewaretoken.value;
