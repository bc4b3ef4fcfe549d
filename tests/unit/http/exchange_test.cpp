#include "unit/http/session.hpp"

#include <gmock/gmock.h>

namespace heiasync::http {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::answers;
using ::testing::ElementsAre;
using testing::Peer;
using testing::ScriptedServer;

class Exchanges : public testing::Session {
protected:
    Exchanges() {
        settings.connect_timeout = 3s;
        settings.request_timeout = 4s;
        settings.on_exchange = [this](std::optional<std::chrono::milliseconds> limit) { told.push_back(limit); };
    }

    std::vector<std::optional<std::chrono::milliseconds>> told;
};

TEST_F(Exchanges, AreToldOfOneByOne) {
    ScriptedServer server{{answers({answer(302, "", "Location: /there\r\n"), answer(200, "")})}};
    get(server.url());
    EXPECT_THAT(told, ElementsAre(7s, std::nullopt, 7s, std::nullopt));
}

TEST_F(Exchanges, HaveEndedWhereTheyFailed) {
    settings.request_timeout = 50ms;
    ScriptedServer server{{[](Peer& peer) { peer.until_closed(); }}};
    failing(server.url(), 1);
    EXPECT_THAT(told, ElementsAre(3050ms, std::nullopt));
}

TEST_F(Exchanges, OnANewConnectionHaveTheirTimeAnew) {
    ScriptedServer server{{[](Peer& peer) {  // the second request finds the connection closed
                               peer.request();
                               peer.send(answer(200, ""));
                               peer.request();
                           },
                           answers({answer(200, "")})}};
    get(server.url());
    told.clear();
    get(server.url());
    EXPECT_THAT(told, ElementsAre(7s, std::nullopt, 7s, std::nullopt));
}

}  // namespace
}  // namespace heiasync::http
