import { render } from "preact";
import { Route, Switch } from "wouter-preact";
import { listenForTokens } from "../api/handover";
import { expired, token } from "../api/token";
import { ErrorBoundary } from "../app/ErrorBoundary";
import { Session } from "../app/Session";
import { viewer } from "../app/viewer";
import { ready } from "../i18n/messages";
import "../ui/tokens.css";
import "../ui/base.css";
import "./page.css";
import { CardPage, WaitingCard } from "./CardPage";
import { ConversationPage } from "./ConversationPage";
import { Frame } from "./Frame";

const embedded = parent !== window;

function Card() {
  // A form to sign in with would not be for whoever sees another program around it.
  const signedOut = token.value === null || (expired.value && viewer.value === null);
  if (embedded && signedOut) return <WaitingCard />;
  return (
    <Session>
      <ErrorBoundary place={location.search}>
        <CardPage />
      </ErrorBoundary>
    </Session>
  );
}

function Page() {
  return (
    <Session>
      <Frame>
        <ErrorBoundary place={location.search}>
          <ConversationPage />
        </ErrorBoundary>
      </Frame>
    </Session>
  );
}

listenForTokens();
await ready;
const root = document.getElementById("root");
if (root) {
  render(
    <Switch>
      <Route path="/conversation/card" component={Card} />
      <Route component={Page} />
    </Switch>,
    root,
  );
}
