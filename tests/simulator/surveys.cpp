#include "simulator/surveys.hpp"

#include <array>

namespace heiasync::simulator {

namespace {

constexpr std::array<Wording, 5> options{{{"Never", "En koskaan", "Aldrig"},
                                          {"Seldom", "Harvoin", "Sällan"},
                                          {"Sometimes", "Joskus", "Ibland"},
                                          {"Often", "Usein", "Ofta"},
                                          {"Always", "Aina", "Alltid"}}};

constexpr std::array<Category, 3> energy_categories{{{526, {"Recovery", "Palautuminen", "Återhämtning"}, {}},
                                                     {527, {"Physical activity", "Liikkuminen", "Motion"}, {}},
                                                     {528, {"Mind", "Mieli", ""}, {}}}};
constexpr std::array<Question, 6> energy_questions{{
    {3214893,
     {"I sleep well", "Nukun hyvin", "Jag sover gott"},
     {"During the last month", "Viimeisen kuukauden aikana", ""},
     &energy_categories[0]},
    {3214894, {"I recover from work", "Palaudun työstä", "Jag återhämtar mig"}, {}, &energy_categories[0]},
    {3214895, {"I move every day", "Liikun päivittäin", "Jag rör på mig dagligen"}, {}, &energy_categories[1]},
    {3214896,
     {"I eat regularly", "Syön säännöllisesti", ""},
     {"Breakfast included", "Myös aamiaisen", "Även frukost"},
     &energy_categories[1]},
    {3214897,
     {"I have energy after work", "Jaksan työpäivän jälkeen", "Jag orkar efter jobbet"},
     {},
     &energy_categories[2]},
    {3214898, {"I laugh \"out loud\"", "Nauran ääneen", "Jag skrattar högt"}, {}, &energy_categories[2]},
}};

constexpr std::array<Category, 4> work_categories{
    {{31, {"Work ability", "Työkyky", "Arbetsförmåga"}, {"How work feels", "Miltä työ tuntuu", "Hur arbetet känns"}},
     {32, {"Leadership", "Johtaminen", "Ledarskap"}, {"", "", ""}},
     {33, {"Working conditions", "Työolot", ""}, {"Tools and spaces", "Välineet ja tilat", ""}},
     {34, {"Own questions", "Omat kysymykset", ""}, {}, true}}};
constexpr std::array<Question, 12> work_questions{{
    {9, {"I can do my work well", "Pystyn tekemään työni hyvin", "Jag klarar mitt arbete"}, {}, &work_categories[0]},
    {10,
     {"My workload is reasonable", "Työmääräni on kohtuullinen", "Min arbetsbörda är rimlig"},
     {"On most days", "Useimpina päivinä", ""},
     &work_categories[0]},
    {11, {"I know what is expected", "Tiedän mitä minulta odotetaan", ""}, {}, &work_categories[0]},
    {12, {"I can influence my work", "Voin vaikuttaa työhöni", "Jag kan påverka mitt arbete"}, {}, &work_categories[0]},
    {14, {"My manager listens", "Esihenkilöni kuuntelee", "Min chef lyssnar"}, {}, &work_categories[1]},
    {15, {"I get feedback", "Saan palautetta", "Jag får respons"}, {}, &work_categories[1]},
    {16, {"Decisions are explained", "Päätökset perustellaan", ""}, {}, &work_categories[1]},
    {17, {"I am treated fairly", "Minua kohdellaan reilusti", "Jag behandlas rättvist"}, {}, &work_categories[1]},
    {18, {"My tools work", "Työvälineeni toimivat", "Mina verktyg fungerar"}, {}, &work_categories[2]},
    {19, {"I can concentrate", "Pystyn keskittymään", ""}, {}, &work_categories[2], false, false},
    {20, {"My workplace is safe", "Työpaikkani on turvallinen", "Min arbetsplats är trygg"}, {}, &work_categories[2]},
    {27,
     {"I would recommend us", "Suosittelisin meitä", ""},
     {"0–10 in the old survey", "", ""},
     &work_categories[3],
     true},
}};

constexpr std::array<Category, 2> team_categories{
    {{41, {"Working together", "Yhteistyö", "Samarbete"}, {"In your own team", "Omassa tiimissä", "I ditt team"}},
     {42, {"Spirit", "Ilmapiiri", "Stämning"}, {"", "", ""}}}};
constexpr std::array<Question, 8> team_questions{{
    {101, {"We help each other", "Autamme toisiamme", "Vi hjälper varandra"}, {}, &team_categories[0]},
    {102, {"We share what we know", "Jaamme osaamista", "Vi delar kunskap"}, {}, &team_categories[0]},
    {103, {"We agree on goals", "Sovimme tavoitteista", ""}, {}, &team_categories[0]},
    {104, {"We keep our promises", "Pidämme lupauksemme", "Vi håller vad vi lovar"}, {}, &team_categories[0]},
    {105, {"I can speak openly", "Voin puhua avoimesti", "Jag kan tala öppet"}, {}, &team_categories[1]},
    {106, {"I belong here", "Kuulun joukkoon", "Jag hör hit"}, {}, &team_categories[1]},
    {107,
     {"Successes are celebrated", "Onnistumisia juhlitaan", ""},
     {"Cake counts", "Kakku lasketaan", "Tårta räknas"},
     &team_categories[1]},
    {108, {"Conflicts are solved", "Ristiriidat ratkaistaan", "Konflikter löses"}, {}, &team_categories[1]},
}};

const SurveyText energy_levels{
    1, "parempi_vire", {"Test your energy levels", "Testaa vireesi", ""}, {}, 0, energy_categories, energy_questions};
const SurveyText tyovire{215,
                         "tyovire",
                         {"Työvire", "Työvire", "Työvire"},
                         {"How people are at work", "Miten töissä voidaan", ""},
                         0,
                         work_categories,
                         work_questions};
const SurveyText tyoyhteisovire{216,
                                "tyoyhteisovire",
                                {"Team spirit", "Työyhteisövire", ""},
                                {"How people work together", "Miten yhdessä toimitaan", "Hur man arbetar ihop"},
                                215,
                                team_categories,
                                team_questions};

}  // namespace

const SurveyText& energy_levels_survey() {
    return energy_levels;
}

const SurveyText& survey_text(SurveyKind kind) {
    return kind == SurveyKind::tyovire ? tyovire : tyoyhteisovire;
}

std::span<const Wording> answer_options() {
    return options;
}

}  // namespace heiasync::simulator
