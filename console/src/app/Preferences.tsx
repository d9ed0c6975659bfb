import { chooseLanguage, type Language, language } from "../i18n/language";
import { useMessages } from "../i18n/messages";
import { LanguageIcon, MonitorIcon, MoonIcon, SunIcon } from "../ui/icons";
import { Menu } from "../ui/Menu";
import styles from "./Preferences.module.css";
import { chooseTheme, type Theme, theme } from "./theme";

// Each language is called what those who speak it call it.
const LANGUAGES: readonly (readonly [Language, string])[] = [
  ["en", "English"],
  ["zh", "简体中文"],
];
const THEMES: readonly (readonly [Theme, typeof SunIcon])[] = [
  ["system", MonitorIcon],
  ["light", SunIcon],
  ["dark", MoonIcon],
];

/** Lets the reader choose the language and how the page looks. */
export function Preferences() {
  const m = useMessages();
  const ThemeIcon = THEMES.find(([each]) => each === theme.value)?.[1] ?? MonitorIcon;
  const spoken = LANGUAGES.find(([each]) => each === language.value)?.[1] ?? "";
  return (
    <div class={styles.preferences}>
      <Menu
        label={`${m.shell.language}: ${spoken}`}
        button={
          <>
            <LanguageIcon />
            <span>{spoken}</span>
          </>
        }
        items={LANGUAGES.map(([each, name]) => ({
          key: each,
          label: <span lang={each}>{name}</span>,
          checked: each === language.value,
          onSelect: () => chooseLanguage(each),
        }))}
      />
      <Menu
        label={`${m.shell.theme}: ${m.shell.themes[theme.value]}`}
        button={<ThemeIcon />}
        items={THEMES.map(([each, Icon]) => ({
          key: each,
          label: m.shell.themes[each],
          icon: <Icon />,
          checked: each === theme.value,
          onSelect: () => chooseTheme(each),
        }))}
      />
    </div>
  );
}
