/** Shapes of 16 by 16, drawn in the colour of the text around them. */
type IconProps = { size?: number /** Names the picture where no text beside it does. */; label?: string };

function icon(...shapes: string[]) {
  return ({ size = 16, label }: IconProps) => (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      {shapes.map((shape) => (
        <path key={shape} d={shape} />
      ))}
    </svg>
  );
}

export const TagIcon = /*#__PURE__*/ icon(
  "M2.5 3v4.2l6.3 6.3 4.7-4.7L7.2 2.5H3a.5.5 0 0 0-.5.5Z",
  "M5.3 5.3h.01",
);
export const PeopleIcon = /*#__PURE__*/ icon(
  "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  "M1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4",
  "M10.7 2.8a2.5 2.5 0 0 1 0 4.5M12 9.9c1.6.6 2.5 1.9 2.5 3.6",
);
export const PersonIcon = /*#__PURE__*/ icon(
  "M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  "M3 13.5c0-2.5 2.2-4 5-4s5 1.5 5 4",
);
export const SendIcon = /*#__PURE__*/ icon("m2 8 12-5.5-4 11.5-2.7-4.8L2 8Z", "m7.3 9.2 3-3");
export const SyncIcon = /*#__PURE__*/ icon(
  "M13.5 6.5A5.7 5.7 0 0 0 3 5.2L2.5 6M2.5 9.5A5.7 5.7 0 0 0 13 10.8l.5-.8",
  "M2.5 2.5V6H6M13.5 13.5V10H10",
);
export const SettingsIcon = /*#__PURE__*/ icon(
  "M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7",
  "M11 6.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM5 13.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
);
export const SearchIcon = /*#__PURE__*/ icon("M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10Z", "m10.7 10.7 3.3 3.3");
export const PlusIcon = /*#__PURE__*/ icon("M8 3v10M3 8h10");
export const CloseIcon = /*#__PURE__*/ icon("m3.5 3.5 9 9m0-9-9 9");
export const CheckIcon = /*#__PURE__*/ icon("m3 8.5 3.3 3.3L13 5");
export const ChevronDownIcon = /*#__PURE__*/ icon("m4 6 4 4 4-4");
export const ChevronRightIcon = /*#__PURE__*/ icon("m6 4 4 4-4 4");
export const ChevronLeftIcon = /*#__PURE__*/ icon("m10 4-4 4 4 4");
export const ArrowUpIcon = /*#__PURE__*/ icon("M8 13V3M4 7l4-4 4 4");
export const ArrowDownIcon = /*#__PURE__*/ icon("M8 3v10M4 9l4 4 4-4");
export const MoreIcon = /*#__PURE__*/ icon(
  "M3.1 8a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M7.6 8a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M12.1 8a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0",
);
export const CopyIcon = /*#__PURE__*/ icon("M5.5 5.5h8v8h-8z", "M10.5 5.5v-3h-8v8h3");
export const WarningIcon = /*#__PURE__*/ icon("M8 2 1.5 13.5h13L8 2Z", "M8 6.5v3M8 11.5h.01");
export const InfoIcon = /*#__PURE__*/ icon("M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z", "M8 7.5v3.5M8 5h.01");
export const SunIcon = /*#__PURE__*/ icon(
  "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  "M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
);
export const MoonIcon = /*#__PURE__*/ icon("M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z");
export const MonitorIcon = /*#__PURE__*/ icon("M1.5 2.5h13v8.5h-13z", "M5.5 14h5M8 11v3");
export const LanguageIcon = /*#__PURE__*/ icon(
  "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM1.5 8h13",
  "M8 1.5c4 3.9 4 9.1 0 13-4-3.9-4-9.1 0-13Z",
);
export const MenuIcon = /*#__PURE__*/ icon("M2 4h12M2 8h12M2 12h12");
export const EditIcon = /*#__PURE__*/ icon(
  "m2.5 13.5.7-3.2 7.8-7.8 2.5 2.5-7.8 7.8-3.2.7Z",
  "m9.3 4.2 2.5 2.5",
);
export const TrashIcon = /*#__PURE__*/ icon("M2.5 4h11M6 4V2h4v2M4 4l.6 9.5h6.8L12 4", "M6.7 7v4M9.3 7v4");
export const UndoIcon = /*#__PURE__*/ icon("M5.5 6H10a3.7 3.7 0 0 1 0 7.5H6", "M5.5 2.7 2.3 6l3.2 3.3");
export const RefreshIcon = /*#__PURE__*/ icon("M13.5 8A5.5 5.5 0 1 1 11.6 3.8L13.5 5.5", "M13.5 2v3.5H10");
export const PauseIcon = /*#__PURE__*/ icon("M5.5 3v10M10.5 3v10");
export const PlayIcon = /*#__PURE__*/ icon("M4.5 2.5v11L13 8 4.5 2.5Z");
export const ClockIcon = /*#__PURE__*/ icon("M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z", "M8 4.8V8l2.2 1.7");
export const ExternalIcon = /*#__PURE__*/ icon("M9.5 2.5h4v4M13.5 2.5 7.5 8.5", "M12 9v4.5H2.5V4H7");
export const DownloadIcon = /*#__PURE__*/ icon("M8 2v8M4.5 6.8 8 10.3l3.5-3.5", "M2.5 13.5h11");
export const UploadIcon = /*#__PURE__*/ icon("M8 10.5v-8M4.5 5.7 8 2.2l3.5 3.5", "M2.5 13.5h11");
export const OverlapIcon = /*#__PURE__*/ icon(
  "M6 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Z",
  "M10 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Z",
);
export const KeyIcon = /*#__PURE__*/ icon(
  "M5.5 14a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z",
  "m8 8 5.5-5.5M11 5l2 2",
);
export const ChatIcon = /*#__PURE__*/ icon("M2 2.5h12v8.5H7l-3 2.8V11H2z");
export const FilterIcon = /*#__PURE__*/ icon("M2 3h12L9.5 8.5v4.3l-3 1.2V8.5L2 3Z");
export const DragIcon = /*#__PURE__*/ icon(
  "M5.6 3.5a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M9.6 3.5a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M5.6 8a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M9.6 8a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M5.6 12.5a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M9.6 12.5a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0",
);
export const LinkIcon = /*#__PURE__*/ icon(
  "M6.5 9.5a3 3 0 0 0 4.3 0l2.3-2.3a3 3 0 0 0-4.3-4.3l-1 1",
  "M9.5 6.5a3 3 0 0 0-4.3 0L2.9 8.8a3 3 0 0 0 4.3 4.3l1-1",
);
export const SignOutIcon = /*#__PURE__*/ icon("M6.5 2.5h-4v11h4", "M6 8h8M11 5l3 3-3 3");
export const ChannelIcon = /*#__PURE__*/ icon("M3 2.5h10v11H3z", "M5.5 5.5h5M5.5 8h5M5.5 10.5h2.5");
export const CalendarIcon = /*#__PURE__*/ icon("M2 3.5h12v10H2zM2 6.5h12", "M5 1.5v3M11 1.5v3");
export const MinusIcon = /*#__PURE__*/ icon("M3 8h10");
export const WebhookIcon = /*#__PURE__*/ icon("M2 8h8M7 4.5 10.5 8 7 11.5", "M10.5 2.5h3v11h-3");
export const LogIcon = /*#__PURE__*/ icon("M3.5 2.5h9v11h-9z", "M6 5.5h4M6 8h4M6 10.5h2");
