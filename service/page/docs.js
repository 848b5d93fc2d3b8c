// Starts Swagger UI on the page /docs; a script of its own, as the page allows none within it.

SwaggerUIBundle({ url: "./openapi.json", dom_id: "#swagger-ui" });
