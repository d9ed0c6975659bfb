import { render } from "preact";
import { Route, Switch } from "wouter-preact";
import { listenForTokens } from "../api/handover";
import { Session } from "../app/Session";
import { ready } from "../i18n/messages";
import { routes } from "./routes";

function Panel() {
  return (
    <Session>
      <main>
        <Switch>
          {routes.map(({ path, component: Page }) => (
            <Route key={path} path={path}>
              {(params) => <Page params={params as Record<string, string>} />}
            </Route>
          ))}
        </Switch>
      </main>
    </Session>
  );
}

listenForTokens();
await ready;
const root = document.getElementById("root");
if (root) render(<Panel />, root);
