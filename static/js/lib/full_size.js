/* Pictures as large as there are, one above the other where there are several. */

import { at } from "./page.js";
import { loadPicture } from "./pictures.js";

export function openFullSize(images) {
  const dialog = at("full-size");
  const pictures = images.map(({ url, renditions = [], alt }) => {
    const largest = [...renditions].sort((a, b) => a.width - b.width).at(-1)?.url ?? url;
    return loadPicture({ url: largest, alt });
  });
  at("full-size-picture").replaceChildren(...pictures.map(({ element }) => element));
  dialog.onclose = () => pictures.forEach((picture) => picture.release());
  dialog.showModal();
}
