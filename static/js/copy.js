/* Buttons that copy the text of another element; without script they stay hidden and the text can be selected. */

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent.trim());
    button.textContent = button.dataset.copied;
    button.parentElement.querySelector("[role=status]").textContent = button.dataset.copied;
  });
}
