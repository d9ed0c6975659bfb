import { defineConfig } from "vite";
import { compressed } from "./compressed.ts";

/** Builds the IDE beside the pages of the console, which come first: React and its editors stay out of theirs. */
export default defineConfig({
  plugins: [compressed()],
  build: {
    outDir: "../service/web/pages",
    emptyOutDir: false,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4_000,
    rollupOptions: {
      input: "ide.html",
      onLog(level, log, report) {
        // Hints to a compiler of React that has run already.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
});
