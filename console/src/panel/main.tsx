import { render } from "preact";
import { Route, Switch, useLocation } from "wouter-preact";
import { listenForTokens } from "../api/handover";
import { ErrorBoundary } from "../app/ErrorBoundary";
import { Session } from "../app/Session";
import { ready } from "../i18n/messages";
import "../ui/tokens.css";
import "../ui/base.css";
import { routes } from "./routes";
import { Gate } from "./shell/Gate";
import { NotFound } from "./shell/NotFound";
import { channelOf } from "./shell/place";
import { Shell } from "./shell/Shell";
import { ChannelFeed } from "./tags/ChannelFeed";

function Panel() {
  const [path] = useLocation();
  const channel = channelOf(path);
  return (
    <Session>
      <Shell>
        {channel !== null && <ChannelFeed key={channel} channel={channel} />}
        <ErrorBoundary place={path}>
          <Gate>
            <Switch>
              {routes.map(({ path, component: Page }) => (
                <Route key={path} path={path}>
                  {(params) => <Page params={params as Record<string, string>} />}
                </Route>
              ))}
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Gate>
        </ErrorBoundary>
      </Shell>
    </Session>
  );
}

listenForTokens();
await ready;
const root = document.getElementById("root");
if (root) render(<Panel />, root);
