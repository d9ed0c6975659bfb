import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./ide.css";
import { GraphiQL } from "graphiql";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { makeFetcher } from "./fetcher";
import { readOpening } from "./opening";

// React is here alone, so nothing of it is written in JSX, which means Preact everywhere else.
const { query, variables, headers } = await readOpening();
const root = document.getElementById("root");
const inEditor = JSON.stringify(headers, null, 2);
if (root)
  createRoot(root).render(
    createElement(GraphiQL, {
      fetcher: makeFetcher(headers),
      ...(query === undefined ? {} : { initialQuery: query }),
      ...(variables === undefined ? {} : { initialVariables: variables }),
      initialHeaders: inEditor,
      defaultHeaders: inEditor,
      defaultEditorToolsVisibility: query === undefined ? "headers" : "variables",
    }),
  );
