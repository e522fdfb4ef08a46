// Puts the address under which this page was reached into the commands, and the node's health
// beside its name. The page says all it has to without this script.

import { copyButton } from "./page.js";

for (const place of document.querySelectorAll("[data-origin]")) {
  place.textContent = location.origin;
}

for (const code of document.querySelectorAll(".code")) {
  code.querySelector(".code-head").append(copyButton(code.querySelector("code")));
}

const health = document.getElementById("health");
try {
  const answer = await fetch("/healthz", { cache: "no-store" });
  health.dataset.state = answer.ok ? "good" : "bad";
  health.textContent = answer.ok ? "healthy" : `unhealthy (${answer.status})`;
} catch {
  health.dataset.state = "bad";
  health.textContent = "not reachable";
}
