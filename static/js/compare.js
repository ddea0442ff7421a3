/*
 * The page for comparing with script. Without it the page is a form that works; with it, the next sets are fetched and
 * decoded ahead, keys choose, and a press shows the next set at once (lib/desk.js). Here is what comparing alone has:
 * several pictures, and one question.
 */

import { choose, isImage, moveTo, readChoice, readDefault, writeChoice } from "./compare/choices.js";
import { drawPictures, loadPictures, loadVeils, readPictures } from "./compare/pictures.js";
import { openDesk } from "./lib/desk.js";
import { openFullSize } from "./lib/full_size.js";
import { listenForHands } from "./lib/hands.js";
import { noteInput } from "./lib/measure.js";
import { at, form, stage } from "./lib/page.js";
import { onChosen } from "./lib/radios.js";
import { say } from "./lib/words.js";

const desk = openDesk({
  id: "set_id",
  list: "sets",
  weight: 2,
  firstItem,
  load: loadPictures,
  veil: loadVeils,
  draw: drawPictures,
  read: readChoice,
  readDefaults: readDefault,
  write: writeChoice,
  isEnough: ({ choice }) => Boolean(choice),
  inWords,
  readyReport,
  actions: { full_size: fullSize },
});

function firstItem() {
  const { set_id, lease } = form.elements;
  const images = readPictures();
  const requested_at = images[0].blurred_url ? undefined : 0;
  return { set_id: set_id.value, lease: lease.value, images, requested_at };
}

const placeOf = (choice, { images }) => images.findIndex(({ image_id }) => image_id === choice);

function inWords({ choice }, set) {
  if (!isImage(choice)) return say(choice === "tie" ? "tie" : "allBad");
  return say("best", { image: placeOf(choice, set) + 1 });
}

/* The image that is chosen, else all of them. */
function fullSize() {
  const chosen = readChoice().choice;
  enlarge((image) => !isImage(chosen) || image.image_id === chosen);
}

function enlarge(isWanted) {
  const entry = desk.current();
  if (!entry || desk.isHidden() || entry.is_broken) return;
  entry.is_zoomed = true;
  const named = entry.item.images.map((image, place) => ({ ...image, alt: say("image", { number: place + 1 }) }));
  openFullSize(named.filter(isWanted));
}

/* The images by the numbers that they have on the stage; a set of two has no third. */
function readyReport({ images }) {
  for (const [place, label] of at("report-images").querySelectorAll("label").entries()) {
    const radio = label.querySelector("input");
    radio.value = images[place]?.image_id ?? "";
    radio.disabled = label.hidden = !images[place];
  }
}

function answer(which) {
  if (!desk.isAwake() || desk.isHidden()) return undefined;
  noteInput(desk.current(), "keyboard");
  if (!choose(which)) return false;
  return desk.submitByItself();
}

stage.addEventListener("click", (event) => {
  const drawn = event.target.closest(".enlarge")?.closest(".picture");
  if (!drawn) return;
  event.preventDefault();
  enlarge(({ image_id }) => image_id === drawn.querySelector("input").value);
});
onChosen(form, (_, is_pointed) => is_pointed && desk.submitByItself());
listenForHands(desk, { onDigit: (digit) => answer(digit - 1), onAction: answer, moveTo });
