// graphql-eslint: its recommended rules for schema.graphql, and for the operations that the documents and the examples show.
import { fileURLToPath } from "node:url";

import graphql from "@graphql-eslint/eslint-plugin";

const schema = fileURLToPath(new URL("../../../schema.graphql", import.meta.url));
const shown = fileURLToPath(new URL(".shown/*.graphql", import.meta.url));

const linted = (files, rules) => ({
  files,
  plugins: { "@graphql-eslint": graphql },
  languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema, documents: shown } } },
  rules,
});

export default [
  linted(["**/schema*.graphql"], {
    ...graphql.configs["flat/schema-recommended"].rules,
    // `RemoteTag.remoteTagId` is WeChat's id, as tags of ours name it too; the rule knows no exceptions.
    "@graphql-eslint/no-typename-prefix": "off",
    // Those without an id are values of the moment: nothing refers to them, and no cache should keep them apart.
    "@graphql-eslint/strict-id-in-types": [
      "error",
      {
        exceptions: {
          suffixes: ["Payload", "Connection", "Edge", "Evidence", "Event", "Preview"],
          types: [
            "BroadcastFailure",
            "BroadcastMessage",
            "BroadcastResponse",
            "BroadcastPolicy",
            "ChannelCredentials",
            "HeldBack",
            "OfficialAccountTag",
            "PageInfo",
            "PersonFailure",
            "QuietHours",
            "RejectedItem",
            "RemoteTag",
            "Repeat",
            "ReturnKey",
            "RollingCap",
            "TagCategory",
            "TagExpression",
            "TagExpressionNode",
            "TagFlow",
            "TagFlowCause",
            "TagHint",
            "TagPairOverlap",
            "TagSize",
            "TagSyncResult",
            "TemplateField",
            "TestMessageResult",
            "TouchableAt",
            "UnmatchedOpenid",
            "UserTagChange",
            "WebhookPosition",
          ],
        },
      },
    ],
  }),
  linted(["**/.shown/*.graphql"], {
    ...graphql.configs["flat/operations-recommended"].rules,
    // Programs of their own: they keep no cache that would need every id, and may call the same thing by the same name.
    "@graphql-eslint/require-selections": "off",
    "@graphql-eslint/unique-operation-name": "off",
  }),
];
