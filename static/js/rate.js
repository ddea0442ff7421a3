/*
 * The rating page with script. Without it the page is a form that works; with it, the next images are fetched and decoded
 * ahead, keys rate, and a press shows the next image at once (lib/desk.js). Here is what rating alone has: two questions,
 * and the look at what others said.
 */

import { openDesk } from "./lib/desk.js";
import { openFullSize } from "./lib/full_size.js";
import { listenForHands } from "./lib/hands.js";
import { noteInput } from "./lib/measure.js";
import { at, form, stage } from "./lib/page.js";
import { chooseUrl, loadPicture } from "./lib/pictures.js";
import { announce } from "./lib/voice.js";
import { say } from "./lib/words.js";
import { askToLook, lookAt } from "./rate/details.js";
import * as questions from "./rate/questions.js";

const desk = openDesk({
  id: "image_id",
  list: "images",
  weight: 1,
  firstItem,
  load: (image) => loadPicture({ ...image, url: chooseUrl(image, stage.getBoundingClientRect()) }),
  veil: (image) => loadPicture({ ...image, url: image.blurred_url, alt: say("veiled") }),
  draw: ({ picture }) => Object.assign(picture.element, { id: "picture" }),
  read: questions.readAnswers,
  readDefaults: questions.readDefaults,
  write: questions.writeAnswers,
  isEnough: ({ aesthetic }) => Boolean(aesthetic),
  isNothing: (answers) => !Object.values(answers).some((answer) => answer !== "unsure" && answer),
  inWords,
  actions: { full_size: fullSize, details },
});

/* The image that the server put into the page, fetched once more, from the cache, to know its bytes. */
function firstItem() {
  const { image_id, lease } = form.elements;
  const { src, currentSrc, alt, width, height, dataset } = at("picture");
  const { blurredUrl, url } = dataset; // of an image that is not for everybody
  const shown = blurredUrl ? { url, blurred_url: blurredUrl } : { url: currentSrc || src, requested_at: 0 };
  return { image_id: image_id.value, lease: lease.value, alt, width, height, ...shown };
}

function inWords({ aesthetic, artifacts }) {
  const word = (value) => (value === "unsure" ? say("unsure") : value);
  return artifacts ? say("both", { aesthetic: word(aesthetic), artifacts: word(artifacts) }) : word(aesthetic);
}

function fullSize() {
  const entry = desk.current();
  if (!entry || desk.isHidden() || entry.is_broken) return;
  entry.is_zoomed = true;
  openFullSize([entry.item]);
}

function details() {
  const last = desk.lastSubmitted();
  if (!last) return announce(say("lookLater"));
  return askToLook(async () => {
    const saved = await desk.recall(last.key);
    return saved ? lookAt(desk.address, saved.rating_id, desk.session.token) : { message: say("lookUnsaved") };
  });
}

function answer(name, value) {
  if (!desk.isAwake()) return;
  if (desk.isHidden()) return announce(say("hidden"));
  noteInput(desk.current(), "keyboard");
  if (questions.choose(name, String(value))) submitIfComplete();
}

function submitIfComplete() {
  if (questions.isComplete()) desk.submitByItself();
}

function onAction(action) {
  if (action === "unsure") return answer(questions.activeQuestion(), "unsure");
  return answer("artifacts", action.replace("artifacts_", ""));
}

/* On the first visit the cards are above everything; looking at the image begins when they are gone. */
function welcome(dialog) {
  dialog.close();
  dialog.showModal();
  dialog.addEventListener("close", desk.lookAgain);
  at("welcome-skip").addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
}

if (at("welcome")) welcome(at("welcome"));
questions.onPointed(submitIfComplete);
listenForHands(desk, {
  onDigit: (digit) => answer(questions.activeQuestion(), questions.valueOf(digit)),
  onAction,
  moveTo: questions.moveTo,
});
