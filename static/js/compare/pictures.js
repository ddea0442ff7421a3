/* The pictures of a set, loaded and shown together. */

import { stage } from "../lib/page.js";
import { chooseUrl, loadPicture } from "../lib/pictures.js";
import { say } from "../lib/words.js";

const mould = stage.querySelector(".picture").cloneNode(true);

const STRIP_PX = 40; // what compare.css keeps free above and around a picture

/* The room for one of so many images, as compare.css lays them out. */
function roomFor(count) {
  const { width, height } = stage.getBoundingClientRect();
  const is_upright = innerWidth < innerHeight;
  const is_long = innerWidth >= 2 * innerHeight;
  const columns = is_upright ? [1, 2, 2][count - 2] : [2, 3, is_long ? 4 : 2][count - 2];
  return { width: width / columns, height: height / Math.ceil(count / columns) - STRIP_PX };
}

/* One picture of several, as `loadPicture` returns one: seen when all are, and known if all are known. */
export function loadPictures({ images, requested_at = performance.now() }) {
  const room = roomFor(images.length);
  const pictures = images.map((image, index) => {
    const alt = say("image", { number: index + 1 });
    return loadPicture({ ...image, alt, url: chooseUrl(image, room), requested_at });
  });
  return {
    elements: pictures.map(({ element }) => element),
    requested_at,
    decoded: Promise.all(pictures.map(({ decoded }) => decoded)).then((all) => all.every(Boolean)),
    release: () => pictures.forEach((picture) => picture.release()),
    shownWidth: () => Math.min(...pictures.map((picture) => picture.shownWidth())),
    get decoded_at() {
      return Math.max(...pictures.map((picture) => picture.decoded_at));
    },
    get sha256() {
      return pictures.every(({ sha256 }) => sha256) ? pictures.map(({ sha256 }) => sha256).join(",") : "";
    },
  };
}

/* What stands for the pictures until they are revealed. */
export function loadVeils({ images }) {
  return loadPictures({ images: images.map((image) => ({ ...image, url: image.blurred_url, renditions: [] })) });
}

export function drawPictures({ item, picture }) {
  const box = Object.assign(document.createElement("div"), { className: "pictures" });
  box.dataset.count = item.images.length;
  box.append(...item.images.map((image, index) => drawOne(image, index + 1, picture.elements[index])));
  return box;
}

function drawOne({ image_id, url }, number, element) {
  const drawn = mould.cloneNode(true);
  const radio = drawn.querySelector("input");
  Object.assign(radio, { value: image_id, defaultChecked: false, checked: false });
  drawn.querySelector(".number").textContent = number;
  drawn.querySelector("img").replaceWith(element);
  const link = drawn.querySelector(".enlarge");
  link.href = url;
  link.setAttribute("aria-label", say("enlarge", { number }));
  return drawn;
}

/* The set that the server put into the page, its pictures fetched once more, from the cache, to know their bytes. */
export function readPictures() {
  return [...stage.querySelectorAll(".picture")].map((drawn) => {
    const { src, currentSrc, dataset } = drawn.querySelector("img");
    const [width, height] = ["width", "height"].map((name) => Number(drawn.querySelector("img").getAttribute(name)));
    const blurred_url = dataset.blurredUrl;
    const url = blurred_url ? dataset.url : currentSrc || src;
    return { image_id: drawn.querySelector("input").value, url, blurred_url, width, height };
  });
}
