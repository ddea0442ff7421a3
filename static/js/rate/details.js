/*
 * What is known of an image that was rated: how others saw it, its prompt, its model. Looking locks the rating, so it is
 * asked first.
 */

import { postForm } from "../lib/api.js";
import { at } from "../lib/page.js";
import { say, sayCount } from "../lib/words.js";

export function askToLook(look) {
  const dialog = at("details");
  at("details-ask").hidden = false;
  at("details-found").hidden = true;
  at("details-message").textContent = say("lookLocks");
  at("details-look").onclick = async () => {
    at("details-look").disabled = true;
    showFound(await look());
    at("details-look").disabled = false;
  };
  dialog.showModal();
}

export function lookAt(url, rating_id, token) {
  return postForm(url, { action: "look", rating_id }, token);
}

function showFound(answer) {
  at("details-title").focus({ preventScroll: true }); // what had it goes now
  at("details-ask").hidden = true;
  if (!answer.is_ok) {
    at("details-message").textContent = answer.message;
    return;
  }
  at("details-message").textContent = sayCount("others", answer.rating_count);
  at("details-found").hidden = false;
  at("details-prompt").textContent = answer.prompt || say("unknown");
  at("details-model").textContent = answer.model_name || say("unknown");
  drawBars(at("details-aesthetic"), answer.histogram.aesthetic, 1);
  drawBars(at("details-artifacts"), answer.histogram.artifacts, 0);
}

/* One row of bars; the numbers stand in the table's cells, so that they can be heard too. */
function drawBars(row, numbers, from) {
  const most = Math.max(1, ...numbers);
  row.replaceChildren(
    ...numbers.map((count, index) => {
      const bar = document.createElement("meter");
      Object.assign(bar, { min: 0, max: most, value: count });
      bar.setAttribute("aria-hidden", "true");
      const cell = document.createElement("li");
      cell.append(`${index + from}: ${count} `, bar);
      return cell;
    }),
  );
}
