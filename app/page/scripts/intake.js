/** How files come in: dropped anywhere on the page, chosen, or pasted. */

import { byId } from "./dom.js";

/** `onFiles` gets them; gives a function that opens the file chooser. */
export function setUpIntake(onFiles) {
  const chooser = byId("files");
  chooser.addEventListener("change", () => {
    onFiles([...chooser.files]);
    chooser.value = "";
  });
  setUpDrop(onFiles);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    onFiles(files);
  });
  return () => chooser.click();
}

function setUpDrop(onFiles) {
  const veil = byId("drop");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // enter and leave come for every element on the way
  const show = (change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => carriesFiles(event) && show(1));
  document.addEventListener("dragleave", (event) => carriesFiles(event) && show(-1));
  document.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show(-depth);
    onFiles([...event.dataTransfer.files]);
  });
}
