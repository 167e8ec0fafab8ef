// Everything works without this: it only tells how far an upload is, takes a file dropped
// anywhere, and keeps a second click from sending a form twice.
"use strict";
(() => {
  // A second click on a button sends nothing: the first is on its way. Coming back makes it new.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
(() => {
  const form = document.getElementById("deliver");
  if (!form || !window.XMLHttpRequest || !window.FormData) return;
  const field = form.querySelector("#file");

  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      if (name === "drop" && event.dataTransfer.files.length) {
        field.files = event.dataTransfer.files;
        field.focus();
      }
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const bar = document.createElement("progress");
    const said = document.createElement("p");
    bar.setAttribute("aria-label", form.dataset.sending);
    said.setAttribute("role", "status");
    said.textContent = form.dataset.sending;
    button.disabled = true;
    button.after(bar, said);
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (step) => {
      if (!step.lengthComputable) return;
      bar.max = step.total;
      bar.value = step.loaded;
      said.textContent = form.dataset.sending + " " + Math.round((100 * step.loaded) / step.total) + " %";
    });
    request.addEventListener("load", () => {
      if (request.status < 400 && request.responseURL) {
        location.assign(request.responseURL);
        return;
      }
      // The server's own page tells what was wrong.
      const told = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("main");
      if (told) document.querySelector("main").replaceWith(document.adoptNode(told));
      else said.textContent = request.status + " " + request.statusText;
    });
    request.addEventListener("error", () => {
      said.setAttribute("role", "alert");
      said.textContent = form.dataset.broken;
      bar.remove();
      button.disabled = false;
    });
    request.open("POST", form.action || location.href);
    request.setRequestHeader("Accept", "text/html");
    request.send(new FormData(form));
  });
})();
