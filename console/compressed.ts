import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Compresses once, and as far as it goes, what the service would compress each time it is asked for. */
export function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          const source = file.type === "chunk" ? file.code : file.source;
          if (!/^assets\/.*\.(js|css|svg|ttf)$/.test(fileName) || source.length < 1_000) continue;
          this.emitFile({
            type: "asset",
            fileName: `${fileName}.gz`,
            source: gzipSync(source, { level: 9 }),
          });
        }
      },
    },
  };
}
