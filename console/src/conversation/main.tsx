import { render } from "preact";
import { Route, Switch } from "wouter-preact";
import { listenForTokens } from "../api/handover";
import { token } from "../api/token";
import { Session } from "../app/Session";
import "../ui/base.css";
import "../ui/tokens.css";
import { CardPage, WaitingCard } from "./CardPage";
import { ConversationPage } from "./ConversationPage";
import { Frame } from "./Frame";

const embedded = parent !== window;

function Card() {
  // A form to sign in with would not be for whoever sees another program around it.
  if (embedded && token.value === null) return <WaitingCard />;
  return (
    <Session>
      <CardPage />
    </Session>
  );
}

function Page() {
  return (
    <Session>
      <Frame>
        <ConversationPage />
      </Frame>
    </Session>
  );
}

listenForTokens();
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
