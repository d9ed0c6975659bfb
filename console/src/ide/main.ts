import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./ide.css";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { readOpening } from "./opening";

// React is here alone, so nothing of it is written in JSX, which means Preact everywhere else.
const { query, variables, headers } = await readOpening();
const root = document.getElementById("root");
const socket = `${location.origin.replace("http", "ws")}/graphql`;
if (root)
  createRoot(root).render(
    createElement(GraphiQL, {
      fetcher: createGraphiQLFetcher({
        url: "/graphql",
        subscriptionUrl: socket,
        enableIncrementalDelivery: false,
      }),
      ...(query === undefined ? {} : { initialQuery: query }),
      ...(variables === undefined ? {} : { initialVariables: variables }),
      initialHeaders: headers,
      defaultHeaders: headers,
      defaultEditorToolsVisibility: query === undefined ? "headers" : "variables",
    }),
  );
