/// <reference types="vitest/config" />
import { copyFileSync } from "node:fs";
import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";
import { compressed } from "./compressed.ts";
import { documentModules } from "./document-modules.ts";
import { schemaTypes } from "./schema-types.ts";

/** Lets the bundler drop operations that a page does not use: it cannot know that making one has no effect. */
function droppableDocuments(): Plugin {
  return {
    name: "droppable-documents",
    transform(code, id) {
      if (!id.includes("/api/generated/")) return null;
      return code.replaceAll("= new TypedDocumentString(", "= /*#__PURE__*/ new TypedDocumentString(");
    },
  };
}

/** Puts the list of trusted operations beside the pages, where the service reads it. */
function trustedDocuments(): Plugin {
  return {
    name: "trusted-documents",
    apply: "build",
    closeBundle() {
      copyFileSync(
        "src/api/generated/persisted-documents.json",
        "../service/web/pages/persisted-documents.json",
      );
    },
  };
}

const service = process.env.SERVICE ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [
    documentModules(),
    preact(),
    schemaTypes(),
    droppableDocuments(),
    trustedDocuments(),
    compressed(),
  ],
  build: {
    outDir: "../service/web/pages",
    emptyOutDir: true,
    target: "es2022",
    // Browsers that know light-dark(): it would be written out three times otherwise.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ["index.html", "conversation.html"],
      output: {
        // What most pages share comes in two files, not in fifty.
        codeSplitting: {
          groups: [
            { name: "libraries", test: /node_modules.(?!@atlaskit|@babel)|rolldown-runtime/ },
            { name: "documents", test: /virtual:document/, minShareCount: 2 },
            { name: "kit", test: /src.(ui|api.(?!generated)|app|i18n.[a-z]+\.ts)/ },
          ],
        },
      },
    },
  },
  test: {
    environment: "happy-dom",
    restoreMocks: true,
    setupFiles: ["src/test-setup.ts"],
    testTimeout: 30_000,
  },
  server: {
    proxy: {
      "/graphql": { target: service, ws: true },
      "/import": service,
      "/export": service,
      "/demo": service,
    },
  },
});
