// The one place that names the library: https://lit.dev/docs/libraries/standalone-templates/

export { html, nothing, render, svg } from "./vendor/lit-html/lit-html.js";
export { classMap } from "./vendor/lit-html/directives/class-map.js";
export { live } from "./vendor/lit-html/directives/live.js";
export { repeat } from "./vendor/lit-html/directives/repeat.js";
