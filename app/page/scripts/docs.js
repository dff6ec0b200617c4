/** Shows `/openapi.json` in Swagger UI; `validatorUrl: null` keeps it from asking a server on the internet. */

window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [window.SwaggerUIBundle.presets.apis],
});
